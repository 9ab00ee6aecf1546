# What R's package survival finds in the tables that world_export.py makes; tests/world reads it as world.json.
# Run by world_export.py:  Rscript world.R FOLDER
# Reads FOLDER/<world>-<table>.csv (times in seconds since joining), writes found.json and session.txt there.
# `sound` holds what identifies a planted effect, `naive` the comparison that suggests itself; on the scale of
# logarithms unless the name says otherwise. Nothing planted is written in this file.
library(survival)
folder <- commandArgs(trailingOnly = TRUE)[1]
DAY <- 86400

# --- small helpers --------------------------------------------------------------------------------
found <- list(sound = list(), naive = list())
note <- function(kind, name, estimate, se, ...) {
  found[[kind]][[name]] <<- list(estimate = as.numeric(estimate), se = as.numeric(se), ...)
}
sound <- function(...) note("sound", ...)
naive <- function(...) note("naive", ...)
json <- function(x) {
  if (!is.list(x)) return(if (is.character(x)) paste0("\"", x, "\"") else formatC(x, digits = 6, format = "g"))
  paste0("{", paste(sprintf("\"%s\": %s", names(x), sapply(x, json)), collapse = ",\n"), "}")
}
read <- function(world, table) {
  rows <- read.csv(file.path(folder, paste0(world, "-", table, ".csv")))
  for (time in intersect(names(rows), c("start", "stop", "at"))) rows[[time]] <- rows[[time]] / DAY
  if ("log_stage" %in% names(rows)) rows$known <- rows$log_hazard + rows$log_stage
  if ("plan" %in% names(rows)) rows$plan <- relevel(factor(rows$plan), "monthly")
  if ("plan_at_joining" %in% names(rows)) rows$plan_at_joining <- relevel(factor(rows$plan_at_joining), "monthly")
  rows
}
seconds <- proc.time()[["elapsed"]]
section <- function(name) {
  now <- proc.time()[["elapsed"]]
  message(sprintf("%6.1f s  %s", now - seconds, name))
  seconds <<- now
}
of <- function(fit, term, kind, name) {  # one coefficient of a fit
  at <- which(names(coef(fit)) == term)
  stopifnot(length(at) == 1)
  note(kind, name, coef(fit)[at], sqrt(vcov(fit)[at, at]))
}
combined <- function(fit, terms, weights, kind, name) {  # a weighted sum of coefficients
  at <- match(terms, names(coef(fit)))
  stopifnot(!anyNA(at))
  note(kind, name, sum(weights * coef(fit)[at]), sqrt(drop(weights %*% vcov(fit)[at, at] %*% weights)))
}
shares <- read.csv(file.path(folder, "shares.csv"))
# One indicator for each scheme (but the control) or other condition, within each hidden segment.
within_segments <- function(rows, active) {
  made <- sapply(shares$segment, function(s) as.numeric(active & rows$segment == s))
  colnames(made) <- shares$segment
  made
}
# Hazard ratios of each scheme within each segment: given the plan of the day and what is hidden, all lasting factors
# of each member and the stage of the day (`known`), since omitted factors would draw ratios towards 1.
schemes_by_segment <- function(rows, prefix, suffix = "") {
  schemes <- setdiff(sort(unique(rows$scheme)), "none")
  X <- do.call(cbind, lapply(schemes, function(s) within_segments(rows, rows$scheme == s)))
  colnames(X) <- paste(rep(schemes, each = nrow(shares)), shares$segment, sep = ": ")
  fit <- coxph(Surv(start, stop, event) ~ plan + X + strata(segment) + offset(known), rows)
  for (scheme in schemes) {
    terms <- paste0(scheme, ": ", shares$segment)
    for (term in terms) of(fit, paste0("X", term), "sound", paste0(prefix, term, suffix))
    combined(fit, paste0("X", terms), shares$share, "sound", paste0(prefix, scheme, suffix))
  }
}
curve_at <- function(fit, day) {  # value and standard error of a survival curve
  at <- summary(fit, times = day, extend = TRUE)
  list(at$surv, at$std.err)
}
# Ages at which no scheme of trial `main` acts any more: it is on days 7 to 91, and not all cohorts are in it.
settled <- function(rows) {
  rows <- rows[rows$stop > 91, ]
  rows$start <- pmax(rows$start, 91)
  rows
}
scatter <- function(x) sd(x) / sqrt(length(x))

by_plan <- read("demo", "by_plan")

# --- demo: the schemes ----------------------------------------------------------------------------------
section("start")
main <- read("demo", "main")
schemes_by_segment(main[main$part == 1, ], "demo/main: ")
schemes_by_segment(main[main$part == 2, ], "demo/main: ", " afterwards")
win_back <- read("demo", "win_back")
# Retention at the horizon by scheme, by lot alone: nothing hidden, no model.
lifts <- function(rows, day, prefix) {
  rows[c("start", "stop")] <- list(rows$start - rows$at, rows$stop - rows$at)
  curves <- summary(survfit(Surv(start, stop, event) ~ scheme, rows), times = day)
  scheme <- sub("scheme=", "", curves$strata)
  control <- scheme == "none"
  for (s in which(!control)) {
    sound(paste0(prefix, scheme[s], " lift (share)"), curves$surv[s] - curves$surv[control],
          sqrt(curves$std.err[s]^2 + curves$std.err[control]^2))
  }
}
lifts(main, 90, "demo/main: ")
lifts(win_back, 60, "demo/win_back: ")
schemes_by_segment(win_back[win_back$part == 1, ], "demo/win_back: ")
section("demo schemes")

bought <- aggregate(cbind(login, purchase) ~ scheme + segment, read("demo", "purchases"), sum)
for (scheme in c("welcome_coupon", "daily_tasks")) for (segment in shares$segment) {
  here <- bought[bought$segment == segment, ]
  a <- here[here$scheme == scheme, ]; b <- here[here$scheme == "none", ]
  rate <- c(a$purchase / a$login, b$purchase / b$login)
  se <- sqrt(sum((1 - rate) / c(a$purchase, b$purchase)))
  sound(paste0("demo/purchases: ", scheme, ": ", segment), log(rate[1] / rate[2]), se)
}

# --- demo: messages ---------------------------------------------------------------------------------
served <- read("demo", "served")
served$pace <- relevel(factor(served$cadence), "light")
fit <- coxph(Surv(start, stop, event) ~ plan + m1 + m2 + m3 + m4 + pace:I(refused == 0) + offset(known), served)
for (medium in 1:4) of(fit, paste0("m", medium), "sound", paste0("demo/messages: ", medium))

# By lot alone, as served when the programme began: who opts out later counts as served, which dilutes.
first <- !duplicated(served[c("block", "member")])
whole <- served[!duplicated(served[c("block", "member")], fromLast = TRUE), ]
whole[c("start", paste0("m", 1:4))] <- served[first, c("start", paste0("m", 1:4))]
fit <- coxph(Surv(start, stop, event) ~ m1 + m2 + m3 + m4 + offset(log_hazard), whole)
for (medium in 1:4) of(fit, paste0("m", medium), "sound", paste0("demo/messages by lot: ", medium))

# The cadence: weekly numbers are Poisson. Of the excess over two messages, exp(b x excess) is the factor.
factor_at <- function(b, weekly) sum(dpois(0:60, weekly) * exp(b * pmax(0:60 - 2, 0)))
ratio_at <- function(b) log(factor_at(b, 3.0) / factor_at(b, 0.4))
fit <- coxph(Surv(start, stop, event) ~ plan + m1 + m2 + m3 + m4 + pace + offset(known), served[served$refused == 0, ])
of(fit, "paceheavy", "sound", "demo/cadence: heavy against light")
b <- uniroot(function(b) ratio_at(b) - coef(fit)[["paceheavy"]], c(-1, 1), tol = 1e-10)$root
slope <- (ratio_at(b + 1e-5) - ratio_at(b - 1e-5)) / 2e-5
sound("demo/tiring", b, sqrt(vcov(fit)["paceheavy", "paceheavy"]) / slope)

answers <- read("demo", "answers")
of(coxph(Surv(start, stop, event) ~ messages, answers), "messages", "naive", "demo/tiring")
of(coxph(Surv(start, stop, event) ~ clicked, transform(answers, clicked = as.numeric(clicks > 0))),
   "clicked", "naive", "demo/messages: clicks")

weeks <- aggregate(cbind(time, left) ~ week + silent + got, read("demo", "weeks"), sum)
weeks <- weeks[weeks$time > 0, ]
fit <- glm(left ~ got + factor(pmin(week, 52)) + offset(log(time)), poisson, weeks[weeks$silent == 1, ])
of(fit, "got", "sound", "demo/we miss you")
fit <- glm(left ~ got + factor(pmin(week, 52)) + offset(log(time)), poisson, weeks)
of(fit, "got", "naive", "demo/we miss you")
section("demo messages")

# --- demo: service ----------------------------------------------------------------------------------
# Load times of the first 28 days, for who is still there; shrunken to what is expected of the member's own.
speed <- read("demo", "speed")
of(coxph(Surv(start, stop, event) ~ erred, transform(speed, erred = as.numeric(errors > 0))), "erred", "naive",
   "demo/slow pages")
speed$other <- resid(lm(satisfaction ~ slow, speed))
rows <- merge(by_plan, speed[setdiff(names(speed), c("start", "stop", "event"))])
of(coxph(Surv(start, stop, event) ~ satisfaction + segment + channel + plan + offset(log_stage), rows), "satisfaction",
   "sound", "demo/satisfaction")
early <- speed[speed$n > 0 & speed$stop > 28, ]
mean_log <- early$total / early$n
noise <- with(early, sum(squares - total^2 / n) / sum(n - 1))
spread <- var(mean_log) - mean(noise / early$n)
early$slowness <- (mean_log - mean(mean_log)) * sqrt(spread) / (spread + noise / early$n)
rows <- merge(rows[rows$stop > 28, ], early[c("block", "member", "slowness")])
rows$start <- pmax(rows$start, 28)
of(coxph(Surv(start, stop, event) ~ slowness + other + segment + channel + plan + offset(log_stage), rows), "slowness",
   "sound", "demo/slow pages")
section("demo service")

# --- demo: life ---------------------------------------------------------------------------------------
fit <- coxph(Surv(start, stop, event) ~ plan + offset(known), by_plan)
last <- by_plan[!duplicated(by_plan[c("block", "member")], fromLast = TRUE), ]
last$start <- by_plan$start[!duplicated(by_plan[c("block", "member")])]
last$last_plan <- relevel(factor(last$last_plan), "monthly")
grouped <- coxph(Surv(start, stop, event) ~ last_plan + offset(log_hazard) + strata(segment), last)
for (plan in c("annual", "family")) {
  of(fit, paste0("plan", plan), "sound", paste0("demo/plan ", plan))
  of(grouped, paste0("last_plan", plan), "naive", paste0("demo/plan ", plan))
}

# Time until coming back: a share returns after an exponential time (both from one likelihood).
back <- read("demo", "returns")
back$wait <- back$wait / DAY
minus <- function(p) with(back, {
  share <- plogis(p[1]); rate <- exp(-p[2])
  -sum(ifelse(back == 1, log(share * rate) - rate * wait, log(1 - share + share * exp(-rate * wait))))
})
best <- optim(c(-1, 3.5), minus, hessian = TRUE, control = list(reltol = 1e-12))
se <- sqrt(diag(solve(best$hessian)))
sound("demo/return (log-odds)", best$par[1], se[1])
sound("demo/return after days", best$par[2], se[2])
sound("demo/return by the curve at 250 days (share)", 1 - curve_at(survfit(Surv(wait, back) ~ 1, back), 250)[[1]],
      curve_at(survfit(Surv(wait, back) ~ 1, back), 250)[[2]])
share <- mean(back$back)
naive("demo/return (log-odds)", qlogis(share), 1 / sqrt(nrow(back) * share * (1 - share)))

# The shape of the hazard by day: Poisson numbers of leavings, time at risk weighted by all hidden factors.
by_day <- aggregate(cbind(at_risk, weighted, left) ~ day, read("demo", "by_day"), sum)
peak_of <- function(exposure) {
  used <- exposure > 0
  x <- by_day$day[used] + .5
  minus <- function(p) {
    z <- x / exp(p[3])
    mean <- exposure[used] * exp(p[1]) * (1 + exp(p[2]) * (z * exp(1 - z))^2)
    -sum(dpois(by_day$left[used], mean, log = TRUE))
  }
  best <- optim(c(-6, 0, 3.5), minus, control = list(maxit = 5000, reltol = 1e-13), hessian = TRUE)
  list(par = best$par, se = sqrt(diag(solve(best$hessian))))
}
for (kind in c("sound", "naive")) {
  peak <- peak_of(if (kind == "sound") by_day$weighted else by_day$at_risk)
  note(kind, "demo/level of the hazard", peak$par[1], peak$se[1])
  note(kind, "demo/height of the peak", peak$par[2], peak$se[2])
  note(kind, "demo/risk peak", peak$par[3], peak$se[3])
}

# Members who joined before observation enter when it begins; and reasons (Aalen-Johansen).
stays <- read("demo", "stays")
right <- survfit(Surv(start, stop, event) ~ 1, stays)
wrong <- survfit(Surv(stop, event) ~ 1, stays)
do.call(naive, c("demo/retention at 90 of who joined before (share)",
                 curve_at(survfit(Surv(stop, event) ~ 1, stays[stays$start > 0, ]), 90)))
for (day in c(90, 365)) {
  name <- paste0("demo/retention at ", day, " (share)")
  do.call(sound, c(name, curve_at(right, day)))
  do.call(naive, c(name, curve_at(wrong, day)))
}
some <- stays[stays$block < 8, ]
some$id <- seq_len(nrow(some))
some$state <- factor(some$reason, c("none", sort(setdiff(unique(some$reason), "none"))))
some[c("start", "stop")] <- list(floor(some$start), floor(some$stop) + 1)  # whole days: few distinct times
states <- survfit(Surv(start, stop, state) ~ 1, some, id = id)
at <- summary(states, times = 365)
for (reason in levels(some$state)[-1]) {
  name <- paste0("demo/left for ", reason, " by 365 (share)")
  column <- match(reason, states$states)
  sound(name, at$pstate[column], at$std.err[column])
  alone <- survfit(Surv(some$start, some$stop, some$reason == reason) ~ 1)
  naive(name, 1 - curve_at(alone, 365)[[1]], curve_at(alone, 365)[[2]])
}
section("demo life")

# The roll-out: among members with as many logins as the last who got the offer, who joined first got it.
rolled <- read("demo", "rollout")
got <- rolled[rolled$offered == 1, ]
ratio <- sum(got$after) / sum(got$before)
naive("demo/challenge", log(ratio), scatter(got$after - ratio * got$before) / mean(got$before) / ratio)
rolled$edge <- tapply(got$before, got$block, max)[as.character(rolled$block)]
tied <- rolled[rolled$before == rolled$edge, ]
rest <- tied[tied$offered == 0, ]
tied$from_edge <- (tied$age / DAY - (tapply(rest$age, rest$block, max) / DAY)[as.character(tied$block)]) / 100
tied <- tied[!is.na(tied$from_edge), ]
of(glm(after ~ offered * from_edge, quasipoisson, tied), "offered", "sound", "demo/challenge")
section("demo roll-out")

# --- worlds that break studies --------------------------------------------------------------------------
# Stays by plan and stage, with what the truth knows of each member.
with_members <- function(world, columns) merge(read(world, "by_plan"), read(world, "stays")[c("block", "member", columns)])
rows <- with_members("non_proportional", "plan_at_joining")
rows$annual <- as.numeric(rows$plan_at_joining == "annual")
rows$family <- as.numeric(rows$plan_at_joining == "family")
fit <- coxph(Surv(start, stop, event) ~ family + annual + offset(known), rows)
of(fit, "annual", "naive", "non_proportional/annual")
found$non_proportional_p <- cox.zph(coxph(Surv(start, stop, event) ~ annual, rows))$table[1, "p"]
halves <- survSplit(Surv(start, stop, event) ~ ., rows, cut = 90, episode = "period")
halves <- transform(halves, early = annual * (period == 1), later = annual * (period == 2))
fit <- coxph(Surv(start, stop, event) ~ family + early + later + offset(known), halves)
of(fit, "early", "sound", "non_proportional/annual before day 90")
of(fit, "later", "sound", "non_proportional/annual from day 90")

rows <- with_members("informative_censoring", c("channel", "satisfaction"))
rows$years <- rows$joined / DAY / 365.25
of(coxph(Surv(start, stop, event) ~ years + segment + channel + satisfaction + plan + offset(log_stage), settled(rows)),
   "years", "sound", "informative_censoring/trend")
stays <- read("informative_censoring", "stays")
stays$years <- (stays$joined - min(stays$joined)) / DAY / 365.25
model <- Surv(start, stop, event) ~ years + segment + channel + satisfaction + plan_at_joining
followed <- function(rows) {  # retention as if all were followed: mean of predicted curves
  fit <- coxph(model, rows, model = TRUE)
  base <- basehaz(fit, centered = TRUE)
  level <- base$hazard[findInterval(365, base$time)]
  mean(exp(-level * exp(fit$linear.predictors)))
}
set.seed(20250701)
again <- replicate(20, followed(stays[sample(nrow(stays), replace = TRUE), ]))
sound("informative_censoring/retention at 365 (share)", followed(stays), sd(again))
do.call(naive, c("informative_censoring/retention at 365 (share)", curve_at(survfit(Surv(start, stop, event) ~ 1, stays), 365)))
section("non-proportional, informative censoring")

rows <- read("immortal_time", "by_plan")
of(coxph(Surv(start, stop, event) ~ annual + offset(known), transform(rows, annual = as.numeric(plan == "annual"))),
   "annual", "sound", "immortal_time/annual")
whole <- rows[!duplicated(rows[c("block", "member")], fromLast = TRUE), ]
whole$start <- 0  # whoever is seen has joined in the time observed
of(coxph(Surv(start, stop, event) ~ annual, transform(whole, annual = as.numeric(last_plan == "annual"))), "annual",
   "naive", "immortal_time/annual")

rows <- settled(read("calendar_shock", "shocked"))
of(coxph(Surv(start, stop, event) ~ shock + plan + offset(known), transform(rows, shock = as.numeric(part == 1))),
   "shock", "sound", "calendar_shock/shock")
stays <- read("calendar_shock", "stays")
begins <- max(stays$joined + stays$stop * DAY) - 200 * DAY  # the last stays end at as_of
stays$cohort <- as.numeric(stays$joined < begins & stays$joined >= begins - 60 * DAY)
of(coxph(Surv(start, stop, event) ~ cohort, stays), "cohort", "naive", "calendar_shock/cohort")

rows <- read("price_rise", "dearer")
crude <- aggregate(cbind(left = event, time = stop - start) ~ part, rows, sum)
rows <- settled(rows)
X <- within_segments(rows, rows$part == 1)
fit <- coxph(Surv(start, stop, event) ~ plan + X + strata(segment) + offset(known), rows)
for (segment in shares$segment) of(fit, paste0("X", segment), "sound", paste0("price_rise/", segment))
combined(fit, paste0("X", shares$segment), shares$share, "sound", "price_rise/all")
of(glm(left ~ part + offset(log(time)), poisson, crude), "part", "naive", "price_rise/all")

lapses <- read("silent_churn", "lapses")
lapses <- transform(lapses, time = pmax(last, 1) / DAY, gone = end - last > 30 * DAY)
do.call(naive, c("silent_churn/retention at 90 (share)", curve_at(survfit(Surv(time, gone) ~ 1, lapses), 90)))
found$silent_churn_cancelled <- sum(read("silent_churn", "stays")$event)
lapses <- transform(lapses, time = pmin(left, end) / DAY, gone = left <= end)
do.call(sound, c("silent_churn/retention at 90 (share)", curve_at(survfit(Surv(time, gone) ~ 1, lapses), 90)))
section("immortal time, shock, prices, silence")

for (world in c("heavy_tails", "correlated", "curved")) {
  rows <- with_members(world, c("own", "channel", "satisfaction"))
  fit <- coxph(Surv(start, stop, event) ~ own + channel + satisfaction + plan + offset(log_stage), rows)
  stays <- read(world, "stays")
  of(fit, "own", "sound", paste0(world, "/power of own sessions"))
  n <- nrow(stays)
  x <- stays$own - mean(stays$own); y <- stays$own_buys - mean(stays$own_buys)
  sound(paste0(world, "/mean of the logarithm"), mean(stays$own), scatter(stays$own))
  sound(paste0(world, "/variance of the logarithm"), mean(x^2), scatter(x^2))
  if (world == "heavy_tails") next
  u <- x / sd(x); v <- y / sd(y); r <- mean(u * v)
  sound(paste0(world, "/correlation"), r, scatter(u * v - r * (u^2 + v^2) / 2))
}
section("gradients")

# --- worlds that break trials ---------------------------------------------------------------------------
rows <- read("spill_over", "brought")
fit <- coxph(Surv(start, stop, event) ~ treated + spilled + plan + offset(known), rows)
of(fit, "treated", "sound", "spill_over/own scheme")
of(fit, "spilled", "sound", "spill_over/scheme of the referrer")
main <- read("spill_over", "main")
curves <- survfit(Surv(start - at, stop - at, event) ~ scheme, main)
at <- summary(curves, times = 90)
naive("spill_over/lift (share)", diff(at$surv[order(at$strata)]), sqrt(sum(at$std.err^2)))

main <- read("clusters", "main")
main <- main[main$part == 1, ]
z <- sapply(split(main, main$block), function(rows) {
  fit <- coxph(Surv(start, stop, event) ~ scheme, rows, cluster = club)
  coef(fit) / c(sqrt(fit$naive.var), sqrt(fit$var))
})
for (kind in c("naive", "sound")) {
  v <- var(z[if (kind == "naive") 1 else 2, ])
  note(kind, "clusters/variance of z", v, v * sqrt(2 / (ncol(z) - 1)), trials = ncol(z))
}
of(coxph(Surv(start, stop, event) ~ scheme, main, cluster = club), "schemeoffer", "sound", "clusters/offer")
section("spill-over, clusters")

main <- read("changing_allocation", "main")
main <- main[main$part == 1, ]
of(coxph(Surv(start, stop, event) ~ scheme + strata(phase), main), "schemeoffer", "sound", "changing_allocation/offer")
of(coxph(Surv(start, stop, event) ~ scheme, main), "schemeoffer", "naive", "changing_allocation/offer")

rows <- aggregate(members ~ scheme + kept + consent, read("unequal_missing", "complete"), sum)
arms <- sapply(split(rows, rows$scheme), function(arm) with(arm, c(
  n = sum(members), kept = sum(members[kept == 1]), seen = sum(members[consent == 1]),
  seen_kept = sum(members[consent == 1 & kept == 1]))))
gain <- function(k, n) unname(c(diff(k / n), sqrt(sum(k / n * (1 - k / n) / n))))
do.call(naive, c("unequal_missing/lift (share)", as.list(gain(arms["seen_kept", ], arms["seen", ]))))
missing <- arms["n", ] - arms["seen", ]
gone <- with(rows, c(sum(members[scheme == "offer" & kept == 0 & consent == 0]), sum(members[scheme == "offer" & kept == 0])))
share <- gone[1] / gone[2]
sound("unequal_missing/withdrawn (share)", share, sqrt(share * (1 - share) / gone[2]))
lowest <- gain(arms["seen_kept", ] + c(missing[1], 0), arms["n", ])
highest <- gain(arms["seen_kept", ] + c(0, missing[2]), arms["n", ])
sound("unequal_missing/lift at least (share)", lowest[1], lowest[2])
sound("unequal_missing/lift at most (share)", highest[1], highest[2])
do.call(sound, c("unequal_missing/lift with the withdrawn (share)", as.list(gain(arms["kept", ], arms["n", ]))))

for (world in c("sample_ratio", "two_arms")) {
  main <- read(world, "main")
  fit <- coxph(Surv(start, stop, event) ~ plan + offered + offset(known),
               transform(main[main$part == 1, ], offered = as.numeric(scheme == "offer")))
  of(fit, "offered", "sound", paste0(world, "/offer"))
  listed <- aggregate(members ~ scheme + times, read(world, "listed"), sum)
  n <- tapply(listed$members, listed$scheme, sum)
  if (world == "sample_ratio") {
    sound("sample_ratio/lost (share)", 1 - n[["offer"]] / n[["none"]], n[["offer"]] / n[["none"]] * sqrt(sum(1 / n)))
    found$sample_ratio_p <- chisq.test(n)$p.value
  } else {
    twice <- sum(listed$members[listed$times == 2]) / sum(n)
    sound("two_arms/twice (share)", twice, sqrt(twice * (1 - twice) / sum(n)))
  }
}

main <- read("late_ramp", "main")
main <- main[main$part %in% 1:2, ]
main[c("start", "stop")] <- list(main$start - main$at, main$stop - main$at)
of(coxph(Surv(start, stop, event) ~ scheme + offset(known), main), "schemeoffer", "naive", "late_ramp/offer")
found$late_ramp_p <- cox.zph(coxph(Surv(start, stop, event) ~ scheme, main))$table[1, "p"]
main <- survSplit(Surv(start, stop, event) ~ ., main, cut = 1:28, episode = "day")
main$ramp <- (main$scheme == "offer" & main$part == 1) * pmin(main$day, 28) / 28
main$after <- as.numeric(main$scheme == "offer" & main$part == 2)
fit <- coxph(Surv(start, stop, event) ~ plan + ramp + after + offset(known), main)
of(fit, "ramp", "sound", "late_ramp/offer")
of(fit, "after", "sound", "late_ramp/offer afterwards")
section("allocation, missing, ratio, arms, ramp")

# Portfolio: per trial, logarithm of the ratio of logins a day (early) and of the cumulated hazards (late), with
# the covariance of their errors from the members of each scheme. The effects' own covariance is what remains.
portfolio <- function(world) {
  sums <- aggregate(. ~ new + trial, read(world, "trials"), sum)
  arm <- with(sums, {
    r <- x / d; p <- k / n
    u2 <- (xx - 2 * r * xd + r^2 * dd) / x^2  # of log(x / d): influence (x - r d) / sum(x)
    late <- log(-log(p)); g <- 1 / (p * log(p))  # slope of log(-log p)
    uk <- (xk - r * dk) - p * (x - r * d)
    data.frame(new, trial, early = log(r), late, v1 = u2, v2 = g^2 * p * (1 - p) / n, v12 = g * uk / x / n)
  })
  arm <- arm[order(arm$trial, arm$new), ]
  a <- arm[arm$new == 1, ]; b <- arm[arm$new == 0, ]
  data.frame(early = a$early - b$early, late = b$late - a$late, v1 = a$v1 + b$v1, v2 = a$v2 + b$v2, v12 = -(a$v12 + b$v12))
}
own_correlation <- function(e) {
  s <- cov(e[c("early", "late")]) - matrix(c(mean(e$v1), mean(e$v12), mean(e$v12), mean(e$v2)), 2)
  s[1, 2] / sqrt(s[1, 1] * s[2, 2])
}
effects <- portfolio("portfolio")
again <- replicate(400, own_correlation(effects[sample(nrow(effects), replace = TRUE), ]))
sound("portfolio/correlation", own_correlation(effects), mad(again, na.rm = TRUE))
effects <- portfolio("portfolio_null")
excess <- with(effects, (early - mean(early)) * (late - mean(late)) * 80 / 79 - v12)
scale <- sqrt(mean(effects$v1) * mean(effects$v2))
sound("portfolio_null/covariance", mean(excess) / scale, scatter(excess) / scale)
# The correlation that estimated effects show though all are null: over trials within blocks, plain differences.
sums <- read("portfolio_null", "trials")
arms <- merge(sums[sums$new == 1, ], sums[sums$new == 0, ], by = c("block", "trial"))
r <- with(arms, cor(x.x / n.x - x.y / n.y, k.x / n.x - k.y / n.y))
naive("portfolio_null/correlation", r, (1 - r^2) / sqrt(nrow(arms) - 2))
section("portfolio")

writeLines(json(found), file.path(folder, "found.json"))
session <- capture.output(sessionInfo())
writeLines(grep("^(Matrix products|BLAS|LAPACK|Running under)|/", session, invert = TRUE, value = TRUE),
           file.path(folder, "session.txt"))
