"""Pictures of states and reasons, tested as data: what is drawn equals what the result says is drawn."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sojourn as sj
from sojourn.core.results.retention_states import Reasons, TimeToReturn, WithUs
from sojourn.viz.retention_states import colours, spread

MOST_BYTES = 25_000


def with_us(days=400, *, leaving="cancellation", lapse=None, truth=None):
    duration = np.arange(days + 1)
    never, here = 0.98 ** (duration / 4), 0.3 + 0.7 * 0.98 ** (duration / 4)
    table = pd.DataFrame({"duration": duration, "at_risk": 900 - duration, "left": 1, "back": 1})
    for name, share in (("never_left_share", never), ("with_us_share", here), ("back_share", here / 2)):
        table[name], table[f"{name}_low"], table[f"{name}_high"] = share, share - 0.03, share + 0.03
    table["claimed"] = duration >= 12
    return WithUs("day", 0.95, leaving, lapse, 20, 90, table, members=900, truth=truth)


def returns(*, lapse=None, days=300):
    duration = np.arange(0 if lapse is None else lapse + 1, days + 1)
    share = 0.22 * (1 - np.exp(-duration / 45))
    table = pd.DataFrame({"duration": duration, "at_risk": 400, "returned": 1, "back_share": share})
    table["back_share_low"], table["back_share_high"] = share * 0.9, share * 1.1
    table["claimed"] = duration >= duration[0] + 5
    leaving = "cancellation" if lapse is None else "silence"
    return TimeToReturn("day", 0.95, leaving, lapse, 20, 90, (90,), table, left=400)


def reasons(names=("price", "content", "unknown"), days=400, truth=None):
    duration, tables = np.arange(days + 1), []
    for i, name in enumerate(names):
        share = (0.3 / (i + 1)) * (1 - np.exp(-duration / 100)) / len(names)
        part = pd.DataFrame({"reason": name, "duration": duration, "at_risk": 900, "churned": duration})
        for column in ("left_share", "most_left_share"):
            part[column], part[f"{column}_low"], part[f"{column}_high"] = share, share * 0.9, share * 1.1
        tables.append(part.assign(claimed=True, lost_days=share * 30))
    table = pd.concat(tables, ignore_index=True)
    gone = table.groupby("duration", as_index=False)["left_share"].sum()
    return Reasons("day", 0.95, "cancellation", 20, 90, table, gone, truth=truth)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def size(ax):
    words = {"title": "a", "subtitle": "b", "alt": "c"}
    return len(sj.figure(ax, name="a", table=pd.DataFrame({"n": [1]}), **words).data["svg"].encode())


def test_both_curves_are_the_drawn_table():
    result = with_us()
    drawn, ax = result.drawn(), sj.plot_occupation(result)
    for line, column in zip(ax.lines, ("with_us_share", "never_left_share"), strict=True):
        assert line.get_xdata().tolist() == drawn["duration"].tolist()
        assert line.get_ydata().tolist() == drawn[column].tolist()
    assert {line.get_linestyle() for line in ax.lines} == {"-", "--"}  # not known by colour alone
    assert ax.get_ylim() == (0, 1)
    assert texts(ax) == ["with us", "never left"]
    assert len(drawn) <= 95
    assert {0, 400} <= set(drawn["duration"])
    assert size(ax) <= MOST_BYTES


def test_in_silence_nobody_is_said_to_have_left():
    assert texts(sj.plot_occupation(with_us(leaving="silence", lapse=30))) == ["active", "never silent"]


def test_bands_are_drawn_only_where_the_interval_is_claimed():
    result = with_us()
    first = result.drawn().loc[lambda drawn: drawn["claimed"], "duration"].min()
    for band in sj.plot_occupation(result).collections:
        assert band.get_paths()[0].vertices[:, 0].min() == first >= 12


def test_the_truth_is_drawn_as_circles():
    truth = pd.DataFrame({"duration": [30, 90], "with_us_share": [0.8, 0.7], "never_left_share": [0.7, 0.6]})
    circles = [line for line in sj.plot_occupation(with_us(truth=truth)).lines if line.get_marker() == "o"]
    assert [line.get_ydata().tolist() for line in circles] == [[0.8, 0.7], [0.7, 0.6]]


def test_coming_back_begins_after_the_lapse():
    ax = sj.plot_returns(returns(lapse=30))
    assert ax.lines[0].get_xdata().min() == 31
    assert texts(ax) == ["silent"]
    assert ax.get_xlabel() == "days since falling silent"
    plain = sj.plot_returns(returns())
    assert plain.lines[0].get_ydata().tolist() == returns().drawn()["back_share"].tolist()
    assert texts(plain) == []
    assert plain.get_ylim()[0] == 0
    assert max(size(ax), size(plain)) <= MOST_BYTES


def test_layers_add_up_to_all_who_left():
    result = reasons()
    ax, drawn = sj.plot_reasons(result), result.drawn()
    assert len(ax.collections) == 3
    tops = [band.get_paths()[0].vertices[:, 1].max() for band in ax.collections]
    last = drawn[drawn["duration"] == 400]["left_share"].cumsum()
    assert tops == pytest.approx(last.tolist())
    assert tops[-1] == pytest.approx(result.gone["left_share"].iloc[-1])
    assert texts(ax) == ["price", "content", "unknown"]
    assert size(ax) <= MOST_BYTES


def test_the_truth_of_layers_is_stacked_as_they_are():
    rows = [("unknown", 30, 0.01), ("price", 30, 0.05), ("content", 30, 0.02)]
    truth = pd.DataFrame(rows, columns=["reason", "duration", "left_share"])
    circles = sj.plot_reasons(reasons(truth=truth)).lines
    assert [float(line.get_ydata()[0]) for line in circles] == pytest.approx([0.05, 0.07, 0.08])


def test_no_two_layers_have_one_colour():
    names = (*"abcdef", "other reasons", "unknown")
    found = colours(reasons(names))
    assert len(set(found.values())) == len(names)
    assert size(sj.plot_reasons(reasons(names))) <= MOST_BYTES


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_names_keep_their_distance_and_order(heights):
    placed = spread(heights, 0.07)
    order = np.argsort(heights, kind="stable")
    # pushed apart step by step, so up to a tenth of the distance is left to itself after the last
    assert (np.diff(np.array(placed)[order]) >= 0.07 * 0.9).all()
