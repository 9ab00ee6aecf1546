# Numbers of R's package survival that tests/estimators/test_cox_oracle.py compares with.
# Run from the folder of this file:  Rscript cox.R
# Writes cox.json (data as counts by covariates and durations, and what R makes of the rows) and cox_session.txt.
library(survival)
options(digits = 15)

# --- a small writer of JSON: named lists, vectors of numbers or text ------------------------------
num <- function(x) ifelse(is.na(x), "null", trimws(formatC(x, digits = 15, format = "g")))
quoted <- function(x) paste0("\"", x, "\"")
vec <- function(x) paste0("[", paste(if (is.character(x)) quoted(x) else num(x), collapse = ","), "]")
json <- function(x, indent = "") {
  if (!is.list(x)) return(vec(x))
  inner <- paste0(indent, " ")
  items <- mapply(function(name, item) paste0(inner, quoted(name), ": ", json(item, inner)), names(x), x)
  paste0("{\n", paste(items, collapse = ",\n"), "\n", indent, "}")
}

# --- rows, and what survival makes of them -----------------------------------------------------------
# Columns of rows: start, stop, event, stratum, and covariates; one row a member (or a stretch of one).
# To the last digit: Newton's steps go on until the likelihood stands still.
last_digit <- suppressWarnings(coxph.control(eps = 1e-13, toler.chol = 1e-14, iter.max = 60))
model <- function(rows, covariates, ties) {
  terms <- c(covariates, if (length(unique(rows$stratum)) > 1) "strata(stratum)")
  formula <- reformulate(terms, "Surv(start, stop, event)")
  environment(formula) <- environment()
  coxph(formula, data = rows, ties = ties, control = last_digit, x = TRUE)
}
fitted <- function(rows, covariates, ties) {
  fit <- model(rows, covariates, ties)
  base <- basehaz(fit, centered = FALSE)
  if (is.null(base$strata)) base$strata <- "stratum=1"
  base <- base[!duplicated(base[c("strata", "hazard")]) & base$hazard > 0, ]
  base <- base[unique(round(seq(1, nrow(base), length.out = min(12, nrow(base))))), ]
  tests <- lapply(c(identity = "identity", log = "log", rank = "rank", km = "km"), function(transform) {
    if (transform == "log" && any(rows$stop[rows$event == 1] == 0)) return(list(chisq = numeric(0)))
    table <- cox.zph(fit, transform = transform)$table
    list(chisq = table[, "chisq"], df = table[, "df"], p = table[, "p"])
  })
  residual <- cox.zph(fit, transform = "km", terms = FALSE)
  daily <- aggregate(residual$y, list(time = residual$time), mean)
  daily <- daily[unique(round(seq(1, nrow(daily), length.out = min(12, nrow(daily))))), ]
  list(coef = as.numeric(coef(fit)), var = as.numeric(vcov(fit)), loglik = fit$loglik, score = fit$score,
       stratum = as.numeric(sub(".*=", "", base$strata)), time = base$time, hazard = base$hazard, zph = tests,
       residual_time = if (length(unique(rows$stratum)) > 1) numeric(0) else daily$time,
       residual = if (length(unique(rows$stratum)) > 1) numeric(0) else as.numeric(as.matrix(daily[, -1])))
}
case <- function(rows, covariates) {
  if (is.null(rows$start)) rows$start <- -1
  if (is.null(rows$stratum)) rows$stratum <- 1
  rows <- rows[complete.cases(rows[c("start", "stop", "event", "stratum", covariates)]), ]
  x <- model(rows, covariates, "breslow")$x
  counts <- data.frame(start = rows$start, stop = rows$stop, event = as.numeric(rows$event), stratum = rows$stratum, x)
  counts$n <- 1
  names <- setdiff(names(counts), "n")
  counts <- aggregate(counts["n"], by = counts[names], FUN = sum)
  assign <- attr(x, "assign")
  if (is.null(assign)) assign <- seq_len(ncol(x))
  list(terms = covariates[unique(assign)], assign = assign, columns = as.list(counts[setdiff(names, c("start", "stop", "event", "stratum"))]),
       start = counts$start, stop = counts$stop, event = counts$event, stratum = counts$stratum, n = counts$n,
       rows = nrow(rows), efron = fitted(rows, covariates, "efron"), breslow = fitted(rows, covariates, "breslow"))
}
tenth <- function(x) floor(x / 10)
months <- function(days) ceiling(days / 30.4375)

# --- published data sets that ship with survival ------------------------------------------------------
cases <- list(
  lung = case(with(lung, data.frame(stop = time, event = status == 2, sex = sex - 1, age = tenth(age),
                                    ecog = factor(pmin(ph.ecog, 2)))), c("sex", "age", "ecog")),
  veteran = case(with(veteran, data.frame(stop = time, event = status, trt = trt - 1, celltype, karno = tenth(karno))),
                 c("trt", "celltype", "karno")),
  ovarian = case(with(ovarian, data.frame(stop = futime, event = fustat, rx = rx - 1, older = age > 57)), c("rx", "older")),
  colon = case(with(subset(colon, etype == 2), data.frame(stop = months(time), event = status, rx, nodes = pmin(nodes, 8), obstruct)),
               c("rx", "nodes", "obstruct")),
  pbc = case(with(pbc, data.frame(stop = months(time), event = status == 2, edema = factor(edema), stage = factor(pmax(stage, 2)), old = age > 50)),
             c("edema", "stage", "old")),
  heart = case(with(heart, data.frame(start = 2 * start, stop = 2 * stop, event = event, transplant = as.numeric(transplant) - 1,
                                      surgery, age = round(age / 10))), c("transplant", "surgery", "age")),
  gbsg = case(with(gbsg, data.frame(stop = months(rfstime), event = status, meno, grade = factor(grade), hormon,
                                    stratum = 1 + (size > 25))), c("meno", "grade", "hormon")),
  rotterdam = case(with(rotterdam, data.frame(stop = months(dtime), event = death, size, chemo, grade = grade - 2, nodes = pmin(nodes, 5))),
                   c("size", "chemo", "grade", "nodes")),
  kidney = case(with(kidney, data.frame(stop = time, event = status, sex = sex - 1, disease)), c("sex", "disease")),
  bladder = case(with(bladder, data.frame(stop = stop, event = event, rx = rx - 1, number = pmin(number, 4), size = pmin(size, 4), stratum = enum)),
                 c("rx", "number", "size")),
  cgd = case(with(cgd, data.frame(start = tstart, stop = tstop, event = status, treat = as.numeric(treat) - 1, inherit = as.numeric(inherit) - 1,
                                  steroids)), c("treat", "inherit", "steroids")),
  mgus2 = case(with(mgus2, data.frame(stop = futime, event = death, sex = as.numeric(sex == "M"), age = factor(pmin(pmax(floor(age / 10), 5), 8)))),
               c("sex", "age")),
  retinopathy = case(with(retinopathy, data.frame(stop = ceiling(futime), event = status, trt, type = as.numeric(type) - 1, risk = risk - 9)),
                     c("trt", "type", "risk")),
  aml = case(with(aml, data.frame(stop = time, event = status, x = as.numeric(x) - 1)), "x"))

# --- weekly ties of 500 and more, late entry, leaving at 0, one pattern of one member ----------------------
set.seed(20260811)
n <- 20000
weekly <- data.frame(a = rbinom(n, 1, .4), b = sample(0:2, n, TRUE))
life <- ceiling(rexp(n, .012 * exp(.5 * weekly$a - .3 * weekly$b)) / 7)
followed <- floor(runif(n, 4, 40))
weekly$event <- as.numeric(life <= followed)
weekly$stop <- pmin(life, followed)
weekly$b <- factor(weekly$b)
cases$weekly <- case(weekly, c("a", "b"))
# What weights make of the same cells: Efron's correction then counts every cell as one who left.
cells <- aggregate(list(n = rep(1, n)), by = weekly[c("a", "b", "event", "stop")], FUN = sum)
cases$weekly$weighted <- as.numeric(coef(coxph(Surv(stop, event) ~ a + b, data = cells, weights = n, ties = "efron")))
cases$weekly$largest_tie <- max(table(weekly$stop[weekly$event == 1]))

set.seed(20260812)
n <- 600
late <- data.frame(a = rbinom(n, 1, .5), b = rbinom(n, 1, .3))
life <- ceiling(rexp(n, .01 * exp(.7 * late$a)))
life[runif(n) < .05] <- 0
late$start <- ifelse(runif(n) < .5, -1, floor(runif(n, 1, 60)))
followed <- late$start + floor(runif(n, 20, 200)) + 1
late$event <- as.numeric(life <= followed)
late$stop <- ifelse(late$event == 1, life, followed)
late <- late[late$stop > late$start, ]
cases$late <- case(rbind(late, data.frame(a = 3, b = 0, start = -1, event = 1, stop = 12)), c("a", "b"))

# --- effects by period, and the complementary log-log model on days ----------------------------------------
v <- with(veteran, data.frame(time, status, trt = trt - 1, karno = tenth(karno)))
split <- survSplit(Surv(time, status) ~ ., data = v, cut = c(30, 90), episode = "period")
by_period <- coxph(Surv(tstart, time, status) ~ (trt + karno):strata(period), data = split, ties = "efron", control = last_digit)
periods <- list(coef = as.numeric(coef(by_period)), se = sqrt(diag(vcov(by_period))))
days <- survSplit(Surv(time, status) ~ ., data = v, cut = 1:999)
days$piece <- cut(days$tstart, c(-1, seq(27, 195, 28), 999))  # pieces of 28 days, and all from day 196 on
cloglog <- glm(status ~ 0 + piece + trt + karno, family = binomial("cloglog"), data = days,
               control = glm.control(epsilon = 1e-15, maxit = 60))
k <- length(coef(cloglog))
hazard <- list(edges = c(0, seq(28, 196, 28), 999), baseline = as.numeric(coef(cloglog)[1:(k - 2)]), coef = as.numeric(coef(cloglog)[(k - 1):k]),
               se = as.numeric(sqrt(diag(vcov(cloglog)))[(k - 1):k]), loglik = as.numeric(logLik(cloglog)))

writeLines(json(list(cases = cases, periods = periods, hazard = hazard)), "cox.json")
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE), "cox_session.txt")
