"""Words for who the segments are: profiles, made-up members, portraits."""

from __future__ import annotations

import pandas as pd

from sojourn.core.interval import label
from sojourn.core.results.segments_described import EVERYONE, TRAIT_WORDS, Portraits, Profile, TypicalMembers
from sojourn.core.text import begun, count, listing, number, percent
from sojourn.report.say import register
from sojourn.report.segments_next import called

#: Cramer's V up to which a trait is said to tell that much (Cohen 1988, for two groups: .1 small, .3 medium).
_HOW_MUCH = ((0.1, "a little"), (0.3, "something"), (1.01, "much"))


#: Numbers from here on need no decimals.
_WHOLE = 100

# --- profiles ---


def describe_profile(who: Profile) -> dict[str, str]:
    """Return title, subtitle and alternative text of the picture of profiles."""
    far = who.table.loc[who.table["difference"].abs().sort_values(kind="stable").index[-1]]
    how = "higher" if far["difference"] > 0 else "lower"
    few = (
        ""
        if len(who.drawn()) == len(who.table)
        else " Features in which no segment is far from everyone are left out."
    )
    return {
        "title": f"Furthest from everyone: {called(far['segment'])}, {how} in {far['feature']}",
        "subtitle": (
            "Mean of each segment less everyone's, up to the cut, in standard deviations; only members who "
            f"formed no segment.{few} Tones: blue more, red less. {begun(_each(who))}, stand in the CSV."
        ),
        "alt": (
            "Grid of segments and features. The largest difference is "
            f"{number(far['difference'], signed=True)} standard deviations, of {far['segment']} in "
            f"{far['feature']}."
        ),
    }


def profile_frame(who: Profile) -> pd.DataFrame:
    """Return all numbers of a profile, those that no picture shows included."""
    return who.table.drop(columns="telling")


def ends_frame(who: Profile) -> pd.DataFrame:
    """Return one row per feature: everyone's mean, and the segments with the lowest and the highest."""
    rows = []
    for feature in who.table["feature"].unique():
        of = who.table[who.table["feature"] == feature].sort_values(["value", "segment"])
        low, high = of.iloc[0], of.iloc[-1]
        rows.append(
            {
                "feature": feature,
                "everyone": _readable(float(low["everyone"])),
                "lowest": _with_bounds(low),
                "highest": _with_bounds(high),
            }
        )
    return pd.DataFrame(rows)


def _with_bounds(row: pd.Series) -> str:
    value, low, high = (_readable(float(row[f"value{end}"])) for end in ("", "_low", "_high"))
    return f"{value} ({low} to {high}), {row['segment']}"


def _readable(value: float) -> str:
    """Return a number with the digits that its size needs."""
    return number(value, 2 if abs(value) < 1 else 1 if abs(value) < _WHOLE else 0)


def describe_ends(who: Profile) -> dict[str, str]:
    """Return title and note of the table of features."""
    n = who.table["feature"].nunique()
    return {
        "title": f"Each of {n} features: where it is lowest, and where it is highest",
        "note": (
            "Means up to the cut in natural units, over members who formed no segment, with "
            f"{_each(who)}. Shares are of a member's events, from 0 to 1."
        ),
    }


def _each(who: Profile) -> str:
    return f"{label(who.mass, who.kind)}s, each by itself"


@register
def say_profile(who: Profile) -> str:
    """Say what sets segments apart most."""
    return describe_profile(who)["title"] + "."


# --- made-up members ---


def typical_frame(made: TypicalMembers) -> pd.DataFrame:
    """Return made-up members in words, segment by segment."""
    shown = made.table[["segment", "typical", "words", "n"]]
    return shown.rename(columns={"typical": "made_up", "words": "in_words"})


def describe_typical(made: TypicalMembers) -> dict[str, str]:
    """Return title and note of the table of made-up members."""
    middle = made.table[made.table["typical"] == "a typical member"]
    high = (middle if len(middle) else made.table).sort_values(["frequency", "segment"]).iloc[-1]
    words = str(high["words"])
    return {
        "title": f"A typical member of {called(high['segment'])}: {words[:1].lower()}{words[1:]}",
        "note": (
            "Nobody here is real. Each segment is cut into parts by how often members are active; every "
            "number is the mean over the middle half of a part, feature by feature. Members: so many stand "
            f"behind each number, never fewer than {count(made.min_group)}."
        ),
    }


@register
def say_typical(made: TypicalMembers) -> str:
    """Say what a typical member of the most active segment does."""
    return made.why_empty or f"{describe_typical(made)['title']}."


# --- portraits ---


def describe_portraits(drawn: Portraits) -> dict[str, str]:
    """Return title, subtitle and alternative text of the picture of portraits."""
    n = int(drawn.table.loc[drawn.table["segment"] == EVERYONE, "n"].max())
    tones = " A tone where a segment has clearly more, or fewer, than the others." if drawn.telling else ""
    return {
        "title": _finding(drawn),
        "subtitle": (
            f"Members in 100 of each segment, of {count(n)} who formed none and whose trait is known.{tones} "
            f"{begun(label(drawn.mass, drawn.kind))}s stand in the CSV."
        ),
        "alt": f"{_finding(drawn)}. {_clearest(drawn)}",
    }


def _finding(drawn: Portraits) -> str:
    """Say which traits tell something of the segment, and which nothing."""
    silent = listing([TRAIT_WORDS.get(name, name) for name in drawn.silent])
    if not drawn.telling:
        return f"{begun(silent)} {_verb(drawn.silent)} nothing about the segment"
    parts = []
    for most, words in _HOW_MUCH:
        said = [name for name in drawn.telling if _amount(drawn, name) == most]
        if said:
            parts.append(f"{listing([TRAIT_WORDS.get(n, n) for n in said])} {_verb(tuple(said))} {words}")
    rest = f"; {silent} {_verb(drawn.silent)} nothing" if silent else ""
    return f"{begun(listing(parts[::-1]))} about the segment{rest}"


def _amount(drawn: Portraits, trait: str) -> float:
    v = float(drawn.traits.loc[drawn.traits["trait"] == trait, "cramers_v"].iloc[0])
    return next(most for most, _ in _HOW_MUCH if v < most)


def _verb(traits: tuple[str, ...]) -> str:
    return "says" if len(traits) == 1 else "say"


def _clearest(drawn: Portraits) -> str:
    """Say where a segment has most more of a level than everyone."""
    everyone = drawn.table[drawn.table["segment"] == EVERYONE].set_index(["trait", "level"])["share"]
    rows = drawn.table[drawn.table["apart"] > 0]
    if rows.empty:
        return "No segment has clearly more of any level than the others."
    more = [row["share"] - everyone[row["trait"], row["level"]] for row in rows.to_dict("records")]
    top = rows.iloc[more.index(max(more))]
    of_all = everyone[top["trait"], top["level"]]
    trait = TRAIT_WORDS.get(top["trait"], top["trait"])
    return (
        f"Furthest: {trait} {top['level']}, {percent(top['share'], 0)} of {called(top['segment'])} and "
        f"{percent(of_all, 0)} of everyone."
    )


def portraits_frame(drawn: Portraits) -> pd.DataFrame:
    """Return all shares, those of traits that tell nothing included."""
    clear = {1: "more", 0: "", -1: "fewer"}
    shown = drawn.table.assign(
        trait=[TRAIT_WORDS.get(name, name) for name in drawn.table["trait"]],
        clearly=[clear[apart] for apart in drawn.table["apart"]],
    )
    return shown.drop(columns="apart")


def describe_portraits_table(drawn: Portraits) -> dict[str, str]:
    """Return title and note of the table of portraits."""
    return {
        "title": _clearest(drawn).removesuffix("."),
        "note": (
            f"Shares of a segment's members, with {label(drawn.mass, drawn.kind)}s that hold for all shares "
            "of one trait together (Bonferroni); members who formed no segment and whose trait is known. "
            "Clearly: more or fewer than in all other segments together, by more than chance brings. "
            "Segments in which too few are known are left out."
        ),
    }


def traits_frame(drawn: Portraits) -> pd.DataFrame:
    """Return how much each trait knows of the segment."""
    told = {True: "something", False: "nothing that chance would not bring"}
    return pd.DataFrame(
        {
            "trait": [TRAIT_WORDS.get(name, name) for name in drawn.traits["trait"]],
            "says_about_the_segment": [told[tells] for tells in drawn.traits["tells"]],
            "cramers_v": drawn.traits["cramers_v"],
            "p_value": drawn.traits["p_value"],
            "n": drawn.traits["n"],
        }
    )


def describe_traits(drawn: Portraits) -> dict[str, str]:
    """Return title and note of the table of traits."""
    top = drawn.traits.iloc[0]
    most = TRAIT_WORDS.get(top["trait"], top["trait"])
    told = (
        f"{begun(most)} says most about the segment: Cramér's V {number(top['cramers_v'], 2)}, of at most 1"
    )
    return {
        "title": told if drawn.telling else _finding(drawn),
        "note": (
            "Cramér's V is 0 where trait and segment know nothing of each other and 1 where one fixes the "
            "other; what chance adds is taken off. p-value: how often chance alone brings a link as strong "
            f"(chi-squared test, all traits together by Holm); below {number(1 - drawn.mass, 2)} a trait "
            "says something."
        ),
    }


@register
def say_portraits(drawn: Portraits) -> str:
    """Say which traits tell something of the segment."""
    return drawn.why_empty or f"{_finding(drawn)}. {_clearest(drawn)}"
