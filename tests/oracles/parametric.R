# Numbers of R's survreg that tests/estimators/test_parametric_oracle.py compares with.
# Run from the folder of this file:  Rscript parametric.R
# Writes parametric.json (published data as counts, and what survreg makes of them) and parametric_session.txt.
library(survival)
options(digits = 17, warn = 2)

# --- a small writer of JSON: named lists, vectors of numbers or text -------------------------------------
num <- function(x) ifelse(is.na(x) | is.infinite(x), "null", formatC(x, digits = 17, format = "g"))
quoted <- function(x) paste0("\"", x, "\"")
json <- function(x, indent = "") {
  if (!is.list(x)) {
    shown <- if (is.character(x)) quoted(x) else num(x)
    return(if (length(x) == 1 && is.null(attr(x, "many"))) shown else paste0("[", paste(shown, collapse = ", "), "]"))
  }
  inner <- paste0(indent, " ")
  items <- mapply(function(name, item) paste0(inner, quoted(name), ": ", json(item, inner)), names(x), x)
  paste0("{\n", paste(items, collapse = ",\n"), "\n", indent, "}")
}
many <- function(x) structure(x, many = TRUE)

# --- fits -------------------------------------------------------------------------------------------
# survreg stops by default when the log-likelihood changes by less than 1e-9 of itself; that leaves parameters
# right to about 1e-5. At 1e-13 the last step of Newton's method leaves them right to about 1e-9.
tight <- survreg.control(rel.tolerance = 1e-13, maxiter = 200)
laws <- c(exponential = "exponential", weibull = "weibull", "log-logistic" = "loglogistic", "log-normal" = "lognormal")
fitted <- function(response, n) {
  out <- lapply(laws, function(law) {
    fit <- survreg(response ~ 1, dist = law, weights = n, control = tight)
    v <- fit$var
    list(location = unname(coef(fit)), scale = fit$scale, loglik = fit$loglik[2], covariance = many(as.vector(v)))
  })
  names(out) <- names(laws)
  out
}
# Each data set twice: with exact times, and as if only known to have happened within a span.
case <- function(time, event, width) {
  rows <- data.frame(time = time, event = as.numeric(event))
  rows <- rows[!is.na(rows$time) & rows$time > 0, ]
  rows$n <- 1
  exact <- aggregate(n ~ time + event, data = rows, FUN = sum)
  wide <- rows
  wide$left <- ifelse(rows$event == 1, width * (ceiling(rows$time / width) - 1), width * floor(rows$time / width))
  wide$right <- ifelse(rows$event == 1, wide$left + width, Inf)
  wide <- wide[wide$right < Inf | wide$left > 0, ]
  wide$right[is.infinite(wide$right)] <- -1
  spans <- aggregate(n ~ left + right, data = wide, FUN = sum)
  spans$right[spans$right < 0] <- NA
  lower <- ifelse(spans$left == 0, NA, spans$left)   # survreg: left-censored, that is between 0 and the end
  list(exact = list(time = many(exact$time), event = many(exact$event), n = many(exact$n),
                    fits = with(exact, fitted(Surv(time, event), n))),
       spans = list(left = many(spans$left), right = many(spans$right), n = many(spans$n),
                    fits = fitted(Surv(lower, spans$right, type = "interval2"), spans$n)))
}

result <- list(
  lung = with(lung, case(time, status == 2, 30)),
  veteran = with(veteran, case(time, status, 14)),
  ovarian = with(ovarian, case(futime, fustat, 60)),
  leukemia = with(leukemia, case(time, status, 4)),
  kidney = with(kidney, case(time, status, 20)),
  colon = with(colon[colon$etype == 2, ], case(time, status, 90)),
  pbc = with(pbc, case(time, status == 2, 180)),
  rats = with(rats, case(time, status, 7)),
  mgus = with(mgus, case(futime, death, 365)),
  bladder = with(bladder[bladder$enum == 1, ], case(stop, event, 3)),
  gbsg = with(gbsg, case(rfstime, status, 90)),
  stanford2 = with(stanford2, case(time, status, 30)),
  retinopathy = with(retinopathy, case(futime, status, 6)),
  diabetic = with(diabetic, case(time, status, 6)))
writeLines(json(result), "parametric.json")
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE), "parametric_session.txt")
