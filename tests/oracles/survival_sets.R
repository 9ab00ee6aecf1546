# Numbers of R's package survival on published data sets that ship with it, and on hard cases, for
# tests/estimators/test_survival_sets.py.  Run from the folder of this file:  Rscript survival_sets.R
# Writes survival_sets.json (data as counts by duration, and what R makes of them) and its session.
library(survival)
options(digits = 15)

# --- a small writer of JSON: named lists, vectors of numbers or text ------------------------------
num <- function(x) ifelse(is.finite(x), trimws(formatC(as.numeric(x), digits = 15, format = "g")), "null")
quoted <- function(x) paste0("\"", x, "\"")
vec <- function(x) paste0("[", paste(if (is.character(x)) quoted(x) else num(x), collapse = ","), "]")
json <- function(x, indent = "") {
  if (!is.list(x)) return(vec(x))
  inner <- paste0(indent, " ")
  items <- mapply(function(name, item) paste0(inner, quoted(name), ": ", json(item, inner)), names(x), x)
  paste0("{\n", paste(items, collapse = ",\n"), "\n", indent, "}")
}

# --- what survival makes of the rows of one group ---------------------------------------------------
# A member without late entry starts at -1, so that a duration of 0 is a legal event time.
scales <- c("log-log", "plain", "log", "logit", "arcsin")
some <- function(at, most) at[unique(round(seq(1, length(at), length.out = min(most, length(at)))))]
curve <- function(d) {
  fit <- survfit(Surv(start, stop, event) ~ 1, data = d, conf.type = "log-log")
  hit <- which(fit$n.event > 0)
  if (!length(hit)) return(list(time = numeric(0)))
  hit <- some(hit, 10)
  one <- survfit(Surv(start, stop, event) ~ 1, data = d, ctype = 2)
  out <- list(time = fit$time[hit], at_risk = fit$n.risk[hit], retained = fit$surv[hit],
              se = (fit$surv * fit$std.err)[hit], hazard = fit$cumhaz[hit], hazard_se = fit$std.chaz[hit],
              one_by_one = one$cumhaz[hit], one_by_one_se = one$std.chaz[hit])
  for (scale in scales) {
    bound <- survfit(Surv(start, stop, event) ~ 1, data = d, conf.type = scale)
    out[[paste(scale, "low")]] <- bound$lower[hit]
    out[[paste(scale, "high")]] <- bound$upper[hit]
  }
  for (scale in c("log-log", "plain")) {
    bound <- survfit(Surv(start, stop, event) ~ 1, data = d, conf.type = scale)
    found <- quantile(bound, c(.1, .25, .5, .75, .9))
    for (what in names(found)) out[[paste(scale, what)]] <- as.numeric(found[[what]])
  }
  if (all(d$start < 0)) {
    plain <- survfit(Surv(stop, event) ~ 1, data = d)
    out$until <- some(sort(unique(d$stop)), 3)
    means <- sapply(out$until, function(tau) summary(plain, rmean = tau)$table[c("rmean", "se(rmean)")])
    out$mean <- means[1, ]; out$mean_se <- means[2, ]
  }
  out
}

# Robust variance of weighted members: every row is a member (cluster). The restricted mean of survfit carries no
# robust error, so it is made from the influence of every member on the curve: its area, weighed and squared.
robust <- function(d) {
  d$member <- seq_len(nrow(d))
  fit <- survfit(Surv(start, stop, event) ~ 1, data = d, weights = w, robust = TRUE, cluster = member,
                 conf.type = "log-log", influence = 1)
  hit <- which(fit$n.event > 0)
  if (!length(hit)) return(list(time = numeric(0)))
  hit <- some(hit, 10)
  out <- list(time = fit$time[hit], retained = fit$surv[hit], se = fit$std.err[hit],
              low = fit$lower[hit], high = fit$upper[hit])
  tau <- fit$time[max(hit)]
  before <- which(fit$time < tau)
  if (length(before)) {
    widths <- diff(c(fit$time[before], tau))
    moved <- as.matrix(fit$influence.surv)[, before, drop = FALSE] %*% widths
    stopifnot(max(abs(sqrt(colSums(as.matrix(fit$influence.surv)^2)) - fit$std.err), na.rm = TRUE) < 1e-12)
    out$until <- tau
    out$mean <- fit$time[1] + sum(widths * fit$surv[before])
    out$mean_se <- sqrt(sum(moved^2))
  }
  out
}

# --- tests of groups ---------------------------------------------------------------------------------
# survdiff knows the weights S^rho only and refuses late entry; the others are added up here day by day.
weighed <- function(d, weight, rho = 0, gamma = 0) {
  groups <- sort(unique(d$group)); k <- length(groups)
  u <- numeric(k); v <- matrix(0, k, k)
  for (s in unique(d$stratum)) {
    e <- d[d$stratum == s, ]
    left <- 1; product <- 1
    for (t in sort(unique(e$stop[e$event == 1]))) {
      there <- e$start < t & e$stop >= t; gone <- there & e$stop == t & e$event == 1
      n <- sum(there); m <- sum(gone); p <- sapply(groups, function(g) sum(there & e$group == g)) / n
      product <- product * (1 - m / (n + 1))
      w <- switch(weight, "log-rank" = 1, "gehan-breslow" = n, "tarone-ware" = sqrt(n), "peto-peto" = product,
                  "fleming-harrington" = left^rho * (1 - left)^gamma)
      u <- u + w * (sapply(groups, function(g) sum(gone & e$group == g)) - m * p)
      if (n > 1) v <- v + w^2 * m * (n - m) / (n - 1) * (diag(p, k) - p %o% p)
      left <- left * (1 - m / n)
    }
  }
  keep <- which(diag(v) > 0); keep <- keep[-1]
  c(sum(u[keep] * solve(v[keep, keep], u[keep])), length(keep))
}
tested <- function(d) {
  whole <- transform(d, stratum = "1")
  out <- list(observed = as.numeric(tapply(d$event, d$group, sum)))
  for (name in c("log-rank", "gehan-breslow", "tarone-ware", "peto-peto")) {
    out[[name]] <- weighed(whole, name); out[[paste(name, "within")]] <- weighed(d, name)
  }
  out[["fleming-harrington 0 1"]] <- weighed(whole, "fleming-harrington", 0, 1)
  out[["fleming-harrington 0.5 2"]] <- weighed(whole, "fleming-harrington", .5, 2)
  if (all(d$start < 0)) {
    plain <- function(rho) survdiff(Surv(stop, event) ~ group, data = d, rho = rho)
    within <- function(rho) survdiff(Surv(stop, event) ~ group + strata(stratum), data = d, rho = rho)
    for (rho in c(0, .5, 1)) {
      out[[paste("survdiff", rho)]] <- c(plain(rho)$chisq, length(plain(rho)$n) - 1)
      out[[paste("survdiff within", rho)]] <- c(within(rho)$chisq, length(plain(rho)$n) - 1)
      out[[paste("difference", rho)]] <- plain(rho)$obs - plain(rho)$exp
    }
    pairs <- combn(sort(unique(d$group)), 2)
    p <- apply(pairs, 2, function(g) {
      test <- survdiff(Surv(stop, event) ~ group, data = d[d$group %in% g, ])
      pchisq(test$chisq, 1, lower.tail = FALSE)
    })
    out$pairs <- p; out$holm <- p.adjust(p, "holm")
  }
  out
}

# --- cases -------------------------------------------------------------------------------------------
counted <- function(rows) {
  rows$n <- 1; rows$ww <- rows$w^2
  a <- aggregate(cbind(n, w, ww) ~ group + stratum + start + stop + event, data = rows, FUN = sum)
  code <- function(x) match(x, sort(unique(x)))
  list(names = sort(unique(a$group)), group = code(a$group), stratum = code(a$stratum), start = a$start, stop = a$stop, event = a$event, n = a$n,
       weight = a$w, squared = a$ww)
}
case <- function(start, stop, event, group, stratum) {
  rows <- data.frame(start = start, stop = stop, event = as.numeric(event), group = as.character(group),
                     stratum = as.character(stratum))
  rows <- rows[complete.cases(rows), ]
  rows$start[rows$start <= 0] <- -1
  rows$w <- (1 + (seq_len(nrow(rows)) * 37) %% 16) / 8   # exact in binary, 1/8 to 2
  groups <- sort(unique(rows$group))
  curves <- lapply(groups, function(g) curve(rows[rows$group == g, ])); names(curves) <- groups
  c(list(data = counted(rows), groups = curves, weighted = robust(rows)),
    if (length(groups) > 1) list(tests = tested(rows)))
}
joined <- function(d) rep(-1, nrow(d))
trial <- pbc[1:312, ]
first <- subset(bladder, enum == 1)
died <- subset(colon, etype == 2)
old <- function(x) ifelse(x, "old", "young")
set.seed(20261122)
many <- 400
result <- list(
  # published, shipped with survival
  lung = with(lung, case(joined(lung), time, status == 2, ifelse(sex == 1, "men", "women"), old(age >= 65))),
  veteran = with(veteran, case(joined(veteran), time, status, trt, celltype)),
  ovarian = with(ovarian, case(joined(ovarian), futime, fustat, rx, resid.ds)),
  kidney = with(kidney, case(joined(kidney), time, status, sex, disease)),
  aml = with(aml, case(joined(aml), time, status, x, 1)),
  pbc = with(trial, case(joined(trial), time, status == 2, ifelse(trt == 1, "arm 1", "arm 0"), stage)),
  mgus = with(mgus, case(joined(mgus), ceiling(futime / 30), death, sex, old(age >= 65))),
  mgus2 = with(mgus2, case(joined(mgus2), futime, death, sex, old(age >= 70))),
  heart = with(heart, case(2 * start, 2 * stop, event, transplant, surgery)),          # half days; late entry
  stanford2 = with(stanford2, case(joined(stanford2), ceiling(time), status, old(age >= 41), 1)),
  transplant = with(transplant, case(joined(transplant), pmax(futime, 0), event == "ltx", abo, sex)),
  myeloid = with(myeloid, case(joined(myeloid), ceiling(futime / 7), death, trt, sex)),
  rats = with(rats, case(joined(rats), time, status, rx, sex)),
  bladder = with(first, case(joined(first), stop, event, rx, number > 1)),
  colon = with(died, case(joined(died), ceiling(time / 30), status, rx, node4)),        # months: many ties
  gbsg = with(gbsg, case(joined(gbsg), ceiling(rfstime / 30), status, hormon, grade)),
  cgd = with(cgd, case(tstart, tstop, status, treat, sex)),                            # late entry
  retinopathy = with(retinopathy, case(joined(retinopathy), ceiling(futime), status, trt, type)),
  # hard
  tied = case(rep(-1, many), rep(c(7, 7, 14, 14), many / 4), rep(c(1, 1, 1, 0), many / 4), rep(1:2, many / 2),
              rep(1:2, each = many / 2)),
  at_zero = case(rep(-1, 60), rep(c(0, 0, 3, 5, 9, 9), 10), rep(c(1, 0, 1, 0, 1, 0), 10), rep(1:3, 20), 1),
  censored = case(rep(-1, many), ceiling(runif(many, 0, 60)), runif(many) < .04, rep(1:2, many / 2), 1),
  late = {
    life <- ceiling(rexp(many, 1 / 40)); enter <- ifelse(runif(many) < .5, 0, ceiling(runif(many, 0, 60)))
    end <- pmin(life, enter + ceiling(runif(many, 20, 120))); seen <- end > pmax(enter, 0)
    case(enter[seen], end[seen], (life <= end)[seen], rep(1:2, many / 2)[seen], rep(rep(1:4, each = 2), many / 8)[seen])
  },
  one_leaves = case(-1, 5, 1, "all", 1),
  one_stays = case(-1, 5, 0, "all", 1),
  level = case(rep(-1, 4), c(1, 2, 3, 4), c(1, 1, 0, 0), "all", 1))                      # S is .5 from day 2 to the end
writeLines(json(result), "survival_sets.json")
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE), "survival_sets_session.txt")
