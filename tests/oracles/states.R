# Numbers of R's package survival for states: competing risks and members who move between states.
# Run from the folder of this file:  Rscript states.R
# Writes states.json (data as counts by duration, and what R makes of them) and states_session.txt.
# tests/estimators/test_aalen_johansen_oracle.py compares with it.
library(survival)
options(digits = 15)

# --- a small writer of JSON ------------------------------------------------------------------------
num <- function(x) ifelse(is.na(x), "null", trimws(formatC(x, digits = 15, format = "g")))
quoted <- function(x) paste0("\"", x, "\"")
vec <- function(x) paste0("[", paste(if (is.character(x)) quoted(x) else num(x), collapse = ", "), "]")
json <- function(x, indent = "") {
  if (is.matrix(x)) return(paste0("[", paste(apply(x, 1, vec), collapse = ", "), "]"))
  if (!is.list(x)) return(vec(x))
  inner <- paste0(indent, " ")
  items <- mapply(function(name, item) paste0(inner, quoted(name), ": ", json(item, inner)), names(x), x)
  paste0("{\n", paste(items, collapse = ",\n"), "\n", indent, "}")
}

# --- from rows (id, start, stop, event: a factor whose first level is none) to counts and to R's answer -----
# Whoever is there from the beginning starts at -1, so that moves on day 0 are legal.
case <- function(rows, p0 = NULL, scales = TRUE) {
  rows <- rows[order(rows$id, rows$stop), ]
  check <- survcheck(Surv(start, stop, event) ~ 1, id = id, data = rows)
  stopifnot(all(check$flag[c("overlap", "jump", "teleport")] == 0))
  fit <- survfit(Surv(start, stop, event) ~ 1, id = id, data = rows, conf.type = "log-log")
  logit <- survfit(Surv(start, stop, event) ~ 1, id = id, data = rows, conf.type = "logit")
  states <- fit$states
  rows$from <- match(as.character(check$istate), states) - 1
  none <- levels(rows$event)[1]
  rows$to <- ifelse(rows$event == none, -1, match(as.character(rows$event), states) - 1)
  rows$to[rows$to == rows$from] <- -1  # an event that leaves members where they are is no move
  # Rows that follow each other without a move are one stay: only entries, moves and ends are counted.
  n <- nrow(rows); same <- rows$id[-1] == rows$id[-n] & rows$start[-1] == rows$stop[-n]
  rows$begins <- c(TRUE, !same); rows$ends <- c(!same, TRUE)
  rows$after <- ifelse(rows$to < 0, rows$from, rows$to)
  count <- function(d, day, ...) {
    a <- aggregate(list(n = rep(1, nrow(d))), by = list(day = day, ...), FUN = sum)
    as.list(a)
  }
  e <- rows[rows$begins, ]; m <- rows[rows$to >= 0, ]; z <- rows[rows$ends, ]
  hit <- which(rowSums(as.matrix(fit$n.event)) > 0)
  hit <- hit[unique(round(seq(1, length(hit), length.out = min(15, length(hit)))))]
  at <- function(m) matrix(m[hit, ], ncol = length(states))
  until <- max(fit$time[hit])
  restricted <- summary(fit, rmean = until)$table
  list(states = states,
       entered = count(e, e$start, state = e$from), moved = count(m, m$stop, state = m$from, to = m$to),
       ended = count(z, z$stop, state = z$after),
       time = fit$time[hit], n_risk = at(fit$n.risk), share = at(fit$pstate), se = at(fit$std.err),
       low = at(fit$lower), high = at(fit$upper), logit_low = at(logit$lower), logit_high = at(logit$upper),
       until = until, mean = restricted[, "rmean"])
}
rows_of <- function(id, start, stop, event, levels)
  data.frame(id = id, start = start, stop = stop, event = factor(event, c("none", levels)))

# --- 1. paper: six members, two causes -------------------------------------------------------------------
paper <- rows_of(1:6, -1, 1:6, c("none", "one", "one", "two", "two", "none"), c("one", "two"))

# --- 2. mgus2 (Kyle et al. 2002): plasma cell malignancy or death, whichever first; months, many ties -------
etime <- with(mgus2, ifelse(pstat == 0, futime, ptime))
event <- with(mgus2, ifelse(pstat == 0, 2 * death, 1))
mgus <- rows_of(mgus2$id, -1, etime, c("none", "pcm", "death")[event + 1], c("pcm", "death"))
# --- 3. the same with death after malignancy; --------------------------------------------------------------
d <- mgus2; d$ptime <- with(d, ifelse(pstat == 1 & ptime == futime, futime - .5, ptime))
second <- tmerge(d[, c("id", "sex")], d, id = id, death = event(futime * 2 + 2, death), pcm = event(ptime * 2 + 2, pstat))
mgus_two <- rows_of(second$id, second$tstart - 1, second$tstop - 1,
                    with(second, ifelse(death == 1, "death", ifelse(pcm == 1, "pcm", "none"))), c("pcm", "death"))
# --- 4. the same on the scale of age: everybody enters late ----------------------------------------------
late <- mgus; late$start <- mgus2$age * 12 - 1; late$stop <- late$start + 1 + pmax(etime, 1)
late <- late[order(late$start), ]

# --- 5. transplant (liver waiting list): three outcomes -----------------------------------------------------
liver <- with(transplant[transplant$futime > 0, ], rows_of(seq_along(futime), -1, futime, ifelse(event == "censored", "none", as.character(event)), c("ltx", "death", "withdraw")))

# --- 6. myeloid: complete response, transplant, relapse, death (moves back and forth) --------------------------
m <- tmerge(myeloid[, c("id", "trt")], myeloid, id = id, death = event(futime, death), sct = event(txtime),
            cr = event(crtime), relapse = event(rltime))
m$what <- with(m, ifelse(death == 1, "death", ifelse(relapse == 1, "relapse", ifelse(sct == 1, "sct", ifelse(cr == 1, "cr", "none")))))
leukaemia <- rows_of(m$id, m$tstart, m$tstop, m$what, c("cr", "sct", "relapse", "death"))
leukaemia$start <- ifelse(leukaemia$start == 0, -1, leukaemia$start)

# --- 7. pbcseq: bilirubin high or low at visits, and death: members who come back, late knowledge and all --------
p <- pbcseq[, c("id", "day", "bili", "futime", "status")]
p$high <- p$bili >= 2
p$tstop <- c(p$day[-1], NA); last <- !duplicated(p$id, fromLast = TRUE)
p$tstop[last] <- p$futime[last]
p$then <- c(p$high[-1], NA)
p$what <- ifelse(last, ifelse(p$status == 2, "death", "none"), ifelse(p$then == p$high, "none", ifelse(p$then, "high", "low")))
first_low <- ave(!p$high, p$id, FUN = function(x) x[1]) == 1
p <- p[first_low & p$tstop > p$day, ]                    # those who are low at their first visit
bilirubin <- rows_of(p$id, ifelse(p$day == 0, -1, p$day), p$tstop, p$what, c("high", "low", "death"))

# --- 8. cgd (Fleming & Harrington 1991): first, second and later infections ------------------------------------
g <- cgd; g$count <- ave(g$status, g$id, FUN = cumsum)
infections <- rows_of(g$id, ifelse(g$tstart == 0, -1, g$tstart), g$tstop, ifelse(g$status == 1, paste0("n", pmin(g$count, 3)), "none"), c("n1", "n2", "n3"))

# --- 9. bladder1: recurrences counted up to two, or death of either kind ---------------------------------------
b <- bladder1[bladder1$stop > bladder1$start, ]
b$count <- ave(b$status == 1, b$id, FUN = cumsum)
b$what <- ifelse(b$status == 0, "none", ifelse(b$status > 1, "death", paste0("n", pmin(b$count, 2))))
tumours <- rows_of(b$id, ifelse(b$start == 0, -1, b$start), b$stop, b$what, c("n1", "n2", "death"))

# --- 10. colon (Moertel et al. 1990): recurrence, death ----------------------------------------------------
one <- colon[colon$etype == 1, ]; two <- colon[colon$etype == 2, ]
stopifnot(all(one$id == two$id))
k <- data.frame(id = one$id, rtime = ifelse(one$status == 1 & one$time == two$time, one$time - .5, one$time) * 2, rec = one$status, dtime = two$time * 2, death = two$status)
cc <- tmerge(k[, c("id", "rtime")], k, id = id, death = event(dtime, death), rec = event(rtime, rec))
cancer <- rows_of(cc$id, ifelse(cc$tstart == 0, -1, cc$tstart), cc$tstop, with(cc, ifelse(death == 1, "death", ifelse(rec == 1, "recurred", "none"))), c("recurred", "death"))

# --- 11. heart (Crowley & Hu 1977): waiting, transplanted, dead; half days doubled -------------------------------
h <- heart; h$last <- !duplicated(h$id, fromLast = TRUE)
stanford <- rows_of(h$id, ifelse(h$start == 0, -1, 2 * h$start), 2 * h$stop, ifelse(h$event == 1, "death", ifelse(h$last, "none", "transplanted")), c("transplanted", "death"))

# --- 12. weekly ties, heavy censoring, with us or away ----------------------------------------------------------
set.seed(20261122)
walk <- function(i) {
  mover <- runif(1) < .5; now <- 0; here <- TRUE; out <- NULL; end <- 7 * sample(2:40, 1)
  repeat {
    stay <- 7 * ceiling(rexp(1, if (here) (if (mover) .03 else .003) else (if (runif(1) < .5) .1 else .01)) / 7)
    stop <- min(now + stay, end)
    moved <- now + stay <= end
    out <- rbind(out, data.frame(id = i, start = ifelse(now == 0, -1, now), stop = stop, event = if (moved) (if (here) "away" else "here") else "none"))
    if (!moved || stop >= end) return(out)
    now <- stop; here <- !here
  }
}
w <- do.call(rbind, lapply(1:600, walk))
weekly <- rows_of(w$id, w$start, w$stop, w$event, c("away", "here"))

result <- list(paper = case(paper), mgus2 = case(mgus), mgus2_then_death = case(mgus_two), mgus2_by_age = case(late),
               transplant = case(liver), myeloid = case(leukaemia), pbcseq = case(bilirubin), cgd = case(infections),
               bladder1 = case(tumours), colon = case(cancer), heart = case(stanford), weekly = case(weekly))
writeLines(json(result), "states.json")
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE), "states_session.txt")
