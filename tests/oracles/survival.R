# Numbers of R's package survival that tests/estimators/test_survival_oracle.py compares with.
# Run from the folder of this file:  Rscript survival.R
# Writes survival.json (data as counts by duration, and what R makes of them) and survival_session.txt.
library(survival)
options(digits = 15)

# --- a small writer of JSON: named lists, vectors of numbers or text ------------------------------
num <- function(x) ifelse(is.na(x), "null", formatC(x, digits = 15, format = "g"))
quoted <- function(x) paste0("\"", x, "\"")
vec <- function(x) paste0("[", paste(if (is.character(x)) quoted(x) else num(x), collapse = ", "), "]")
json <- function(x, indent = "") {
  if (!is.list(x)) return(if (length(x) == 1 && is.null(attr(x, "many"))) if (is.character(x)) quoted(x) else num(x) else vec(x))
  inner <- paste0(indent, " ")
  items <- mapply(function(name, item) paste0(inner, quoted(name), ": ", json(item, inner)), names(x), x)
  paste0("{\n", paste(items, collapse = ",\n"), "\n", indent, "}")
}
many <- function(x) structure(x, many = TRUE)

# --- rows and what survival makes of them -----------------------------------------------------------
# A member without late entry starts at -1, so that a duration of 0 is a legal event time.
fitted <- function(rows, horizons, until) {
  curve <- function(d) {
    fit <- survfit(Surv(start, stop, event) ~ 1, data = d, conf.type = "log-log")
    at <- summary(fit, times = horizons, extend = TRUE)
    late <- any(d$start >= 0)
    plain <- survfit(Surv(stop, event) ~ 1, data = d, conf.type = "log-log")
    mean_of <- function(tau) summary(plain, rmean = tau)$table[c("rmean", "se(rmean)")]
    means <- if (late) matrix(NA, 2, length(until)) else sapply(until, mean_of)
    hit <- which(fit$n.event > 0)
    hit <- hit[unique(round(seq(1, length(hit), length.out = min(40, length(hit)))))]
    list(time = many(fit$time[hit]), n_risk = many(fit$n.risk[hit]), n_event = many(fit$n.event[hit]),
         surv = many(fit$surv[hit]), low = many(fit$lower[hit]), high = many(fit$upper[hit]),
         std_err = many((fit$surv * fit$std.err)[hit]),
         horizons = many(horizons), surv_at = many(at$surv), low_at = many(at$lower), high_at = many(at$upper),
         median = many(as.numeric(quantile(fit, .5, conf.int = TRUE)[c("quantile", "lower", "upper")])),
         until = many(until), rmean = many(means[1, ]), rmean_se = many(means[2, ]))
  }
  groups <- sort(unique(rows$group))
  out <- lapply(groups, function(g) curve(rows[rows$group == g, ]))
  names(out) <- groups
  out
}
counted <- function(rows) list(
  group = many(as.character(rows$group)), start = many(rows$start), stop = many(rows$stop), event = many(rows$event))
compressed <- function(rows) {
  rows$n <- 1
  a <- aggregate(n ~ group + start + stop + event, data = rows, FUN = sum)
  c(counted(a), list(n = many(a$n)))
}
tested <- function(rows) {
  if (any(rows$start >= 0)) {  # survdiff refuses late entry: the score test of coxph is the log-rank test.
    # Ties: the hypergeometric variance is not what coxph uses, so this data set has one event a day at most.
    fit <- coxph(Surv(start, stop, event) ~ group, data = rows)
    return(list(statistic = as.numeric(fit$score), df = length(fit$coefficients)))
  }
  test <- survdiff(Surv(stop, event) ~ group, data = rows)
  list(statistic = test$chisq, df = length(test$n) - 1, observed = many(test$obs), expected = many(test$exp))
}
case <- function(rows, horizons, until) {
  rows$group <- as.character(rows$group)
  c(list(data = compressed(rows), groups = fitted(rows, horizons, until)),
    if (length(unique(rows$group)) > 1) list(log_rank = tested(rows)))
}

# --- 1. lung (Loprinzi et al. 1994, shipped with survival): days, two groups ------------------------------
lung_rows <- with(lung, data.frame(group = ifelse(sex == 1, "men", "women"), start = -1, stop = time, event = status - 1))

# --- 2. weekly ties, three groups, events at 0, heavy censoring -------------------------------------
set.seed(20260801)
n <- 900
weekly <- data.frame(group = rep(c("annual", "free", "monthly"), each = n / 3), start = -1)
life <- ceiling(rexp(n, c(annual = .004, free = .02, monthly = .01)[weekly$group]) / 7) * 7
life[runif(n) < .03] <- 0
followed <- floor(runif(n, 0, 365))
weekly$event <- as.numeric(life <= followed)
weekly$stop <- ifelse(weekly$event == 1, life, followed)

# --- 3. late entry: half of the members are seen from a later day only; one event a day -------------------
set.seed(20260802)
n <- 500
late <- data.frame(group = rep(c("a", "b"), n / 2))
life <- sample(1:6000, n)                    # all different, so that no event time is tied
life <- ifelse(late$group == "b", life, pmin(life, 6000 - life %/% 3))
enter <- ifelse(runif(n) < .5, -1, floor(runif(n, 1, 1500)))
followed <- floor(runif(n, 1500, 5000))
late$start <- enter
late$event <- as.numeric(life <= followed)
late$stop <- ifelse(late$event == 1, life, followed)
late <- late[late$stop > late$start, ]
late <- late[!(late$event == 1 & duplicated(late$stop)), ]

# --- 4. five members on paper ---------------------------------------------------------------------
paper <- data.frame(group = "all", start = -1, stop = c(1, 2, 2, 4, 5), event = c(1, 1, 0, 1, 0))

# --- exact intervals and Holm ----------------------------------------------------------------------
k <- c(0, 1, 7, 50, 99, 100); size <- c(100, 20, 25, 100, 100, 100)
share <- sapply(seq_along(k), function(i) binom.test(k[i], size[i])$conf.int)
rate <- sapply(seq_along(k), function(i) poisson.test(k[i], size[i])$conf.int)
p <- c(.01, .04, .03, .005, .5, .5)

result <- list(
  lung = case(lung_rows, c(0, 100, 200, 365, 700, 1000), c(180, 365, 700)),
  weekly = case(weekly, c(0, 7, 30, 90, 180, 300), c(30, 90, 180, 300)),
  late = case(late, c(100, 500, 1000, 2000), c(500)),
  paper = case(paper, c(0, 1, 2, 3, 4), c(3, 5)),
  exact = list(k = many(k), n = many(size), share_low = many(share[1, ]), share_high = many(share[2, ]),
               rate_low = many(rate[1, ]), rate_high = many(rate[2, ])),
  holm = list(p = many(p), adjusted = many(p.adjust(p, "holm"))))
writeLines(json(result), "survival.json")
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE), "survival_session.txt")
