# Numbers of R that tests/estimators/test_when_oracle.py compares with: penalised splines of mgcv on the lung and
# colon data of package survival, and age-period-cohort models of glm on a published triangle.
# Run from the folder of this file:  Rscript when.R
# Writes when.json (data as counts, and what R makes of them) and when_session.txt.
library(survival)
library(mgcv)
options(digits = 15)

# --- a small writer of JSON: named lists, vectors of numbers ---------------------------------------
num <- function(x) ifelse(is.na(x), "null", formatC(x, digits = 15, format = "g"))
json <- function(x, indent = "") {
  if (!is.list(x)) return(if (length(x) == 1) num(x) else paste0("[", paste(num(x), collapse = ", "), "]"))
  inner <- paste0(indent, " ")
  items <- mapply(function(name, item) paste0(inner, "\"", name, "\": ", json(item, inner)), names(x), x)
  paste0("{\n", paste(items, collapse = ",\n"), "\n", indent, "}")
}

# --- smooth hazards: cubic B-splines over log(time + near), second differences, complementary log-log ----
counted <- function(time, event, width) {
  stop <- ceiling(time / width)
  units <- seq_len(max(stop))
  list(churned = sapply(units, function(u) sum(stop == u & event == 1)),
       at_risk = sapply(units, function(u) sum(stop >= u)))
}
smoothed <- function(cells, columns = 24, near_share = .05) {
  longest <- length(cells$at_risk)
  near <- near_share * longest
  u <- log(seq_len(longest) - .5 + near)
  width <- (log(longest + near) - log(near)) / (columns - 3)
  knots <- log(near) + width * (-3:columns)
  fit <- function(smoothing) {
    gam(cbind(churned, at_risk - churned) ~ s(u, bs = "ps", k = columns, m = c(2, 2)),
        data = data.frame(cells, u = u), knots = list(u = knots), family = binomial("cloglog"), method = "REML",
        sp = smoothing, control = gam.control(scalePenalty = FALSE, epsilon = 1e-14, maxit = 500))
  }
  at <- c(1, 20, 400)
  fits <- lapply(at, fit)
  c(cells, list(smoothing = at, knots = knots,
                log_hazard = unlist(lapply(fits, function(f) as.numeric(predict(f)))),
                se = unlist(lapply(fits, function(f) as.numeric(predict(f, se.fit = TRUE)$se.fit))),
                edf = sapply(fits, function(f) sum(f$edf)),
                reml = sapply(fits, function(f) as.numeric(f$gcv.ubre))))
}
recurrence <- colon[colon$etype == 1, ]
splines <- list(lung = smoothed(counted(lung$time, lung$status - 1, 30)),
                colon = smoothed(counted(recurrence$time, recurrence$status, 30)))

# --- age, period, cohort: Taylor & Ashe (1983), J. Econometrics 23, 37-61, table of claims paid ------------
taylor_ashe <- rbind(
  c(357848, 766940, 610542, 482940, 527326, 574398, 146342, 139950, 227229, 67948),
  c(352118, 884021, 933894, 1183289, 445745, 320996, 527804, 266172, 425046, NA),
  c(290507, 1001799, 926219, 1016654, 750816, 146923, 495992, 280405, NA, NA),
  c(310608, 1108250, 776189, 1562400, 272482, 352053, 206286, NA, NA, NA),
  c(443160, 693190, 991983, 769488, 504851, 470639, NA, NA, NA, NA),
  c(396132, 937085, 847498, 805037, 705960, NA, NA, NA, NA, NA),
  c(440832, 847631, 1131398, 1063269, NA, NA, NA, NA, NA, NA),
  c(359480, 1061648, 1443370, NA, NA, NA, NA, NA, NA, NA),
  c(376686, 986608, NA, NA, NA, NA, NA, NA, NA, NA),
  c(344014, NA, NA, NA, NA, NA, NA, NA, NA, NA))
rows <- data.frame(cohort = as.vector(row(taylor_ashe)) - 1, age = as.vector(col(taylor_ashe)) - 1,
                   churned = as.vector(taylor_ashe))
rows <- rows[!is.na(rows$churned), ]
rows$period <- rows$age + rows$cohort
rows$exposure <- 1 + (rows$cohort * 7 + rows$age * 3) %% 5   # any time at risk
model <- function(formula) glm(formula, poisson, rows, offset = log(exposure),
                               control = glm.control(epsilon = 1e-9, maxit = 100))  # Newton: the last step squares it
a <- "factor(age)"; p <- "factor(period)"; k <- "factor(cohort)"
dev <- function(...) deviance(model(as.formula(paste("churned ~", paste(c(...), collapse = " + ")))))
full <- model(as.formula(paste("churned ~", paste(c(a, p, k), collapse = " + "))))
bend <- function(term, n) diff(c(0, ifelse(is.na(x <- coef(full)[paste0("factor(", term, ")", 1:(n - 1))]), 0, x)), differences = 2)
triangle <- list(cohort = rows$cohort, age = rows$age, churned = rows$churned, exposure = rows$exposure,
  deviance = deviance(full), pearson = sum(residuals(full, "pearson")^2), df = full$df.residual,
  without_age = dev("age", p, k), without_period = dev(a, "period", k), without_cohort = dev(a, p, "cohort"),
  period_bends = bend("period", 10), cohort_bends = bend("cohort", 10),
  pearson_chain_ladder = sum(residuals(glm(churned ~ factor(age) + factor(cohort), poisson, rows), "pearson")^2))

writeLines(json(list(splines = splines, triangle = triangle)), "when.json")
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE), "when_session.txt")
