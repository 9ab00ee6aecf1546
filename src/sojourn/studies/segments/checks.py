"""What could be wrong with the answer, each with its verdict."""

from __future__ import annotations

import numpy as np

from sojourn.core.cells import Cells
from sojourn.core.privacy import base_of
from sojourn.core.results.check import Check, Verdict
from sojourn.core.results.segments import CEILING, OURS, RFM, SMOOTH, STABLE, Segmentation
from sojourn.core.text import count, listing, number, percent, plural
from sojourn.studies.segments.exam import better_scores
from sojourn.studies.segments.features import features
from sojourn.studies.segments.rates import RETURNS, SAMPLE, SCORE, VERDICT
from sojourn.studies.segments.structure import DEEP_ENOUGH

#: Members that formed groups: with fewer, the verdict is not to be relied on, or to be taken with care.
TOO_FEW, FEW = 500, 1_500

#: Standard errors by which a sample may miss the mean of all members in its worst feature.
FAR = 4.0


def check_segments(cells: Cells, found: Segmentation) -> list[Check]:
    """Return the checks of a segmentation.

    Parameters
    ----------
    cells : Cells
        From which it was made.
    found : Segmentation
        The result.
    """
    checks = [_apart(found), _enough(found), _sample(cells), _features(cells), _come_back(found)]
    if found.has_groups:
        checks.append(_score(found))
    return checks + ([_truth(found)] if found.meta.get("truth") else [])


def _apart(found: Segmentation) -> Check:
    row = found.tried(found.most_apart)
    finding = (
        f"At {found.most_apart} groups the shallowest valley is of depth {number(row['depth'], 2)}; data "
        f"without structure reach {number(row['null_depth_high'], 2)}; {number(DEEP_ENOUGH, 2)} is needed."
    )
    meaning = {
        "useful": "The groups can be told apart, and tell more about what comes next than a rival as simple.",
        "no use": "Groups can be told apart, but tell no more of what comes next than a score: use bands.",
        "no valley": "Members lie on a gradient. Any number of groups would be our invention.",
    }[found.reason]
    return Check("Groups or a gradient", "pass", finding, meaning, *VERDICT)


def _enough(found: Segmentation) -> Check:
    verdict: Verdict = (
        "cannot be judged" if found.fitted < TOO_FEW else "warn" if found.fitted < FEW else "pass"
    )
    finding = (
        f"{plural(found.fitted, 'member')} formed the groups, {count(found.judged)} others judged "
        f"them{_silent(found)}."
    )
    meaning = {
        "pass": "Enough to see groups that stand clearly apart.",
        "warn": "Only groups that stand far apart would be seen among so few.",
    }.get(verdict, "Too few to tell groups from a gradient.")
    return Check("Enough members", verdict, finding, meaning)


def _silent(found: Segmentation) -> str:
    """Return how many formed nothing because they had done nothing."""
    aside = f"; {count(found.silent)} who did nothing up to the cut are told by that, and formed none"
    return aside if found.silent else ""


def _sample(cells: Cells) -> Check:
    name, worst = "The sample stands for all members", sample_distance(cells)
    members, read = int(cells["moments"]["members"].iloc[0]), len(cells.tables["sample"])
    if "protected" in cells.meta:
        finding = f"{count(read)} of {count(members)} members were read, both in whole groups."
        meaning = (
            "Sums over all members are not kept in a private case, so the sample is not set against them."
        )
        return Check(name, "pass" if members - read < base_of(cells.meta) * 2 else "warn", finding, meaning)
    if read == members:
        return Check(name, "pass", f"All {count(members)} members were read.", "Nothing to stand for.")
    finding = (
        f"{count(read)} of {count(members)} members; the feature that is furthest off misses the mean of all "
        f"by {number(worst)} standard errors."
    )
    verdict: Verdict = "pass" if worst <= FAR else "fail"
    meaning = "Shares hold for everyone." if verdict == "pass" else "Shares do not hold for everyone."
    return Check(name, verdict, finding, meaning, *SAMPLE)


def sample_distance(cells: Cells) -> float:
    """Return by how many standard errors the sample misses the mean of all members, in its worst feature.

    Counts are compared on the scale log(1 + x), as the cells hold them.
    """
    sample, all_of = cells["sample"], cells["moments"].iloc[0]
    members, off = float(all_of["members"]), [0.0]
    for column in sample.columns:
        if f"log_{column}_sum" in all_of.index:
            mean = all_of[f"log_{column}_sum"] / members
            variance = all_of[f"log_{column}_squares"] / members - mean**2
            if variance > 1e-12:
                logged = np.log1p(np.maximum(sample[column].to_numpy(dtype=np.float64), 0))
                error = logged.mean() - mean
                off.append(abs(float(error)) / float(np.sqrt(variance / len(sample))))
    return max(off)


def _features(cells: Cells) -> Check:
    seen = features(cells)
    verdict: Verdict = "warn" if seen.left_out else "pass"
    finding = f"{plural(len(seen.names), 'feature')} form groups: {listing(list(seen.names))}."
    meaning = (
        f"Nearly the same for everyone, and so left out: {listing(list(seen.left_out))}. Groups that differ "
        "in what is not recorded cannot be seen."
        if seen.left_out
        else "Groups that differ in what is not recorded cannot be seen."
    )
    return Check("Features that say something", verdict, finding, meaning)


def _come_back(found: Segmentation) -> Check:
    row, worst = found.tried(found.most_apart), float(found.table["comes_back"].min())
    verdict: Verdict = "pass" if worst >= STABLE else "warn"
    finding = (
        f"Of the segment that comes back worst, {percent(worst, 0)} do when members are drawn again; two "
        f"draws agree to {number(found.rand, 2)} (1: the same segments, 0: as by chance)."
    )
    meaning = (
        f"Who happened to be drawn decides little. That alone shows no groups: of as many without any "
        f"structure {percent(row['null_jaccard'], 0)} come back."
        if verdict == "pass"
        else "Drawn again, that segment would be made of other members: do not build on it alone."
    )
    return Check("Segments come back", verdict, finding, meaning, *RETURNS)


def _score(found: Segmentation) -> Check:
    better = better_scores(found.exam)
    told = [f"{name}: {percent(found.examined(name)['explained'])}" for name in (RFM, SMOOTH, CEILING)]
    ours = percent(found.examined(OURS)["explained"])
    finding = f"The groups explain {ours} of what members did next; {'; '.join(told)}."
    meaning = (
        "Even a score that is as simple tells more about what comes next: choose what to say by group, whom "
        "to say it to by a score."
        if SMOOTH in better
        else "Members differ within groups too: choose what to say by group, whom to say it to by a score."
        if better
        else "Knowing the group is as good as knowing everything else that was looked at."
    )
    return Check("Groups or a score", "warn" if better else "pass", finding, meaning, *SCORE)


def _truth(found: Segmentation) -> Check:
    hidden = int(found.meta["truth"]["count"])
    ours = found.k if found.has_groups else 1
    same = hidden == ours
    finding = f"The simulated world holds {plural(hidden, 'hidden segment')}; {plural(ours, 'group')} found."
    meaning = (
        "The number of groups is right."
        if same
        else "The number of groups is not what is so: the data do not show it."
    )
    return Check("The known truth", "pass" if same else "warn", finding, meaning)
