"""Terms of art, each in one plain sentence with the word the textbooks use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sojourn.report.markdown import slug
from sojourn.report.setting import set_page


@dataclass(frozen=True, slots=True)
class Term:
    """One term.

    Attributes
    ----------
    name : str
        As our pages write it.
    meaning : str
        One plain sentence.
    textbook : str
        What textbooks call it, or where it comes from.
    also : tuple of str
        Other words by which a page may mention it.
    """

    name: str
    meaning: str
    textbook: str
    also: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Name of its place on the glossary page."""
        return slug(self.name)

    def is_in(self, text: str) -> bool:
        """Whether a text mentions it."""
        words = "|".join(re.escape(word) for word in (self.name, *self.also))
        return re.search(rf"\b(?:{words})s?\b", text, re.IGNORECASE) is not None


TERMS: tuple[Term, ...] = (
    Term(
        "as of",
        "The instant at which the analysis looks at the world; nothing that happened later is read.",
        "data cut-off, snapshot date",
    ),
    Term(
        "at risk",
        "Members still with us and still observed just before a given day; only they can leave on it.",
        "risk set",
        ("still observed", "numbers at risk"),
    ),
    Term(
        "bootstrap interval",
        "A range found by drawing the same members anew, many times, and seeing how far the answer moves.",
        "percentile bootstrap interval",
    ),
    Term(
        "censored",
        "Not seen to leave before observation ended; counted as staying only for as long as we looked.",
        "right-censored observation",
        ("censoring",),
    ),
    Term(
        "cohort",
        "Members who joined in the same stretch of time.",
        "birth cohort, entry cohort",
        ("cohort triangle",),
    ),
    Term(
        "confidence interval",
        "A range made so that, over many repetitions, the stated share of such ranges holds the truth.",
        "frequentist interval; for retention curves the log-log interval around Kaplan–Meier",
    ),
    Term(
        "control",
        "Members who were given nothing, so that we know what happens without a scheme.",
        "control arm",
    ),
    Term(
        "convergence",
        "Whether the sampler has run long enough that its separate chains tell the same story.",
        "rank-normalised split R-hat and effective sample size",
    ),
    Term(
        "credible interval",
        "A range that holds the truth with the stated probability, given data and stated belief.",
        "equal-tailed posterior interval",
    ),
    Term(
        "cumulative incidence",
        "Share of all members who have left for one reason by a day; over all reasons these shares add up to "
        "all who have left.",
        "cumulative incidence function (competing risks; Aalen–Johansen estimate)",
    ),
    Term(
        "day-N retention",
        "Share of members active on the Nth day after joining, among those who joined at least N days ago.",
        "classic (day-N) retention of matured cohorts",
        ("day-1", "day-7", "day-30"),
    ),
    Term(
        "delayed entry",
        "Joined before observation began and therefore counted only from then on.",
        "left truncation",
        ("entered late",),
    ),
    Term(
        "expected loss",
        "What choosing a scheme costs on average by being the worse choice, likely or not.",
        "posterior expected loss",
    ),
    Term(
        "first value moment",
        "The first sign that a new member has found what there is to find: an event that the case names.",
        "activation",
        ("first value moments",),
    ),
    Term(
        "gradient",
        "Members differ by degrees along a line rather than falling into separate groups.",
        "no cluster structure beyond a continuous null",
    ),
    Term(
        "guard-rail",
        "A number that a scheme must not worsen, whatever it does for the goal.",
        "guardrail metric, non-inferiority margin",
        ("guard",),
    ),
    Term(
        "hazard",
        "Chance of leaving on a day for a member who is still with us that morning.",
        "discrete-time hazard",
    ),
    Term(
        "hurdle model",
        "Whether members pay and how much they pay are described apart, since most of them pay nothing.",
        "two-part (hurdle) model for semi-continuous data",
        ("hurdle",),
    ),
    Term(
        "lapse",
        "The first silence longer than a stated number of days, dated at its start.",
        "churn by inactivity",
        ("lapsed",),
    ),
    Term(
        "lift",
        "How many more members in 100 stay, or are back if they had left, with a scheme than without it.",
        "absolute risk difference",
    ),
    Term(
        "log-rank test",
        "A comparison of whole retention curves that asks whether groups leave at the same pace.",
        "Mantel–Haenszel log-rank test",
        ("log-rank",),
    ),
    Term(
        "log-normal",
        "A law of amounts by which payments of half and of double the usual size are equally common.",
        "log-normal distribution",
    ),
    Term(
        "matured",
        "Joined or assigned long enough ago for the outcome to be known.",
        "complete follow-up at the horizon",
    ),
    Term(
        "net value",
        "Extra margin that a scheme brings per member, less what it costs.",
        "incremental profit",
    ),
    Term(
        "adjusted Rand",
        "How far two ways of grouping the same members agree beyond chance: 1 is the same, 0 is chance.",
        "adjusted Rand index (Hubert and Arabie 1985)",
    ),
    Term(
        "partial pooling",
        "Groups with little data are drawn towards the average of all, so that small groups do not shout.",
        "hierarchical (multilevel) model, shrinkage",
        ("pooled", "shrinkage", "shrunk"),
    ),
    Term(
        "prior",
        "What was held likely before the data were seen, stated as a range.",
        "prior distribution",
        ("stated belief",),
    ),
    Term(
        "restricted mean",
        "Average number of days a member stays within a stated horizon (area under the retention curve).",
        "restricted mean survival time (RMST)",
        ("mean stay",),
    ),
    Term(
        "retention curve",
        "Share of members still with us, day by day since joining.",
        "Kaplan–Meier estimate of the survival function",
        ("Kaplan–Meier", "Kaplan-Meier"),
    ),
    Term(
        "ROPE",
        "The range of differences too small to be worth having.",
        "region of practical equivalence",
        ("no difference worth having", "worth having"),
    ),
    Term(
        "sample ratio",
        "Whether the arms of a trial have the sizes they were meant to have; if not, something broke.",
        "sample-ratio mismatch (SRM) test",
        ("sample-ratio",),
    ),
    Term(
        "scheme",
        "An incentive under trial, such as a coupon or bonus points.",
        "treatment arm",
    ),
    Term(
        "segment",
        "A group of members who behave alike, found from behaviour alone and worth treating differently.",
        "cluster",
    ),
    Term(
        "silhouette",
        "How much closer a member is to the own group than to the next one, from -1 to 1.",
        "silhouette coefficient (Rousseeuw 1987)",
    ),
    Term(
        "stability",
        "Whether the same groups come out again when the members are drawn anew.",
        "bootstrap cluster stability",
    ),
    Term(
        "stage",
        "Where a member is in the membership: new, growing, active, silent, returned or churned.",
        "life-cycle stage, customer state",
    ),
    Term(
        "stratum",
        "Members alike in something known before a trial began, such as their plan at joining.",
        "stratum, block",
        ("strata",),
    ),
    Term(
        "RFM",
        "How recently, how often and for how much a member bought: the plain grouping that any "
        "other has to beat.",
        "recency, frequency, monetary value (RFM) scoring",
    ),
    Term(
        "cut date",
        "The day that splits the record: groups are made from what came before it and judged by "
        "what came after.",
        "temporal hold-out split",
        ("cut",),
    ),
    Term(
        "valley",
        "A stretch with few members between two groups; groups stand apart only where there is one.",
        "low-density region between modes",
    ),
    Term(
        "look",
        "One reading of a trial while it runs; reading often makes chance look like a finding "
        "unless it is allowed for.",
        "interim analysis in a sequential trial",
        ("interim look",),
    ),
    Term(
        "score",
        "One number per member that sums up several habits, and along which members can be ordered.",
        "principal component or composite score",
    ),
    Term(
        "structureless data",
        "Made-up members with the same spread and overlap of habits as ours but without any "
        "groups, to see what chance alone gives.",
        "reference (null) data, as in the gap statistic",
        ("structureless",),
    ),
    Term(
        "exposure",
        "Whether and when a member met the scheme that was assigned, since being assigned is not "
        "yet seeing it.",
        "treatment received, compliance",
        ("exposed",),
    ),
    Term(
        "R-hat",
        "How much separate chains of the sampler disagree: near 1 they tell the same story.",
        "rank-normalised split R-hat (Vehtari and others 2021)",
        ("r-hat",),
    ),
    Term(
        "effective draws",
        "How many independent draws the draws of the sampler are worth.",
        "effective sample size (ESS)",
        ("effective sample size",),
    ),
    Term(
        "false alarm",
        "A check or a trial that reports something where nothing is wrong or different.",
        "false positive, type I error",
        ("alarms on",),
    ),
    Term(
        "exercise",
        "A report that shows the method at work on data whose decision is long past or made up, "
        "so nobody should act on it.",
        "worked example",
    ),
    Term(
        "first long silence",
        "The first gap without activity longer than a stated number of days; where nobody "
        "cancels, it stands for leaving.",
        "inactivity-based churn",
        ("long silence",),
    ),
    Term(
        "alike in what else was recorded",
        "Set side by side as if both groups had the same mix of everything else that was known at joining; "
        "what nobody recorded may still differ.",
        "standardisation (g-computation) over the observed covariates",
    ),
    Term(
        "prediction interval",
        "A range in which a number that is still to come will lie with the stated probability.",
        "predictive interval",
    ),
    Term(
        "held out",
        "Kept from a model while it was made, so that it can be examined on them.",
        "hold-out sample, out-of-time validation",
        ("did not know",),
    ),
    Term(
        "plain rule",
        "The forecast that every age goes as it went in earlier cohorts; a law has to beat it.",
        "chain ladder",
    ),
    Term(
        "time still to come",
        "Days that a member who has stayed so long is expected to stay within the next stretch of time.",
        "restricted mean residual life",
    ),
    Term(
        "with us",
        "There at that moment, whether or not the member had left and come back before.",
        "state occupation probability (Aalen–Johansen estimate)",
        ("never left", "never fallen silent", "Aalen–Johansen", "Aalen-Johansen"),
    ),
    Term(
        "active days by day",
        "What a member did up to a day counts only for what comes after it, among those still there then.",
        "landmark analysis",
    ),
    Term(
        "peak",
        "The time at which leaving is fastest after having been slower; named only where that is sure.",
        "interior mode of the hazard",
    ),
    Term(
        "score test",
        "A test of whether what goes with leaving stays the same for as long as members stay.",
        "score test of proportional hazards (Grambsch & Therneau; as cox.zph)",
    ),
    Term(
        "made-up member",
        "Somebody who does not exist, made of averages of many members, to have a segment in mind.",
        "synthetic prototype",
        ("made-up members",),
    ),
    Term(
        "Cramér's V",
        "How much a trait and a segment know of each other: 0 nothing, 1 all.",
        "bias-corrected Cramér's V (Bergsma 2013)",
        ("Cramers v",),
    ),
)


def terms_in(text: str) -> list[Term]:
    """Return the terms that a text mentions, in alphabetical order."""
    return [term for term in _sorted() if term.is_in(text)]


def render_glossary() -> str:
    """Return the glossary as one self-contained HTML page."""
    return set_page("glossary.html.j2", terms=_sorted())


def _sorted() -> list[Term]:
    return sorted(TERMS, key=lambda term: term.name.lower())
