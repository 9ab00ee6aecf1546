"""Pictures of the board draw what the results hold, and are small enough for a page."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from board_worlds import SEGMENTS, make_board
from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.results.board import GONE, TOO_NEW, Drift
from sojourn.core.text import count
from sojourn.report.table import lay_out
from sojourn.viz.board import plot_board, plot_drift, plot_leaving, plot_migration, plot_works_on
from sojourn.viz.theme import ACCENT, OTHERS

LONG = (
    "frequent community viewers keen on likes",
    "frequent catalogue viewers who spend more",
    "news viewers who spend less",
    "offer viewers keen on tasks",
    "occasional searchers who do less a day",
)
BANDS = tuple(f"{much} active quarter" for much in ("least", "less", "more", "most"))


@pytest.fixture(scope="module")
def cells():
    return make_board()


@pytest.fixture(scope="module")
def works(cells):
    return sj.works_on(cells)


@pytest.fixture(scope="module")
def laid(cells, works):
    return sj.board(cells, works)


def words(ax):
    return [text.get_text() for text in ax.texts]


def test_every_group_has_a_box_and_a_sign(laid):
    ax = plot_board(laid)
    signs = [text for text in words(ax) if text.rstrip("*") in ("A", "–", "?")]
    assert len(signs) == len(ax.patches) == len(laid.table)
    given = laid.acting("give")
    assert sum(sign.startswith("A") for sign in signs) == len(given)
    assert "A: coupon" in words(ax)
    assert count(laid.cell(SEGMENTS[1], "active")["members"]) in words(ax)


def test_a_box_shows_what_members_bring_who_can_still_be_given_the_scheme(laid):
    total = laid.table["total_net_value"].where(laid.table["act"] != "give", 87.6)
    some = dataclasses.replace(laid, table=laid.table.assign(total_net_value=total))
    assert words(plot_board(some)).count("+88") == len(laid.acting("give"))


def test_acts_differ_without_colour(laid):
    """Width and dashes of the frame tell acts apart on a grey printer."""
    looks = {}
    order = laid.table["act"].tolist()
    for box, act in zip(plot_board(laid).patches, order, strict=True):
        looks.setdefault(act, set()).add((box.get_linewidth(), str(box.get_linestyle())))
    assert len({next(iter(of)) for of in looks.values()}) == 3


def test_borrowed_evidence_has_a_star(laid):
    starred = sum(text in ("A*", "–*", "?*") for text in words(plot_board(laid)))
    assert starred == (laid.table["evidence"] == "observational").sum()


def test_leaving_is_as_full_as_it_is_likely(laid):
    ax = plot_leaving(laid)
    filled = [patch.get_height() / 0.88 for patch in ax.patches[::2]]
    np.testing.assert_allclose(filled, laid.table["leave_90_share"])


def test_effects_are_drawn_expected_and_as_counted(works):
    ax = plot_works_on(works)
    rows = works.segments.sort_values("net_value")
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    hollow = [line.get_xdata()[0] for line in dots if line.get_markerfacecolor() == "none"]
    full = [line.get_xdata()[0] for line in dots if line.get_markerfacecolor() != "none"]
    np.testing.assert_allclose(full, rows["net_value"])
    np.testing.assert_allclose(hollow, rows["raw_net_value"])


def test_of_many_effects_the_ends_are_drawn(works):
    many = dataclasses.replace(works, segments=pd.concat([works.segments] * 4, ignore_index=True))
    assert len(plot_works_on(many).get_yticklabels()) == 16


def test_shares_are_drawn_by_month(cells):
    moved = sj.drift(cells)
    ax = plot_drift(moved)
    for name in SEGMENTS:
        share = moved.shares.loc[moved.shares["segment"] == name, "share"].to_numpy()
        assert any(
            len(line.get_ydata()) == len(share) and np.allclose(line.get_ydata(), share) for line in ax.lines
        )


def moving(segments):
    """Segments of about the same size, between which members move."""
    rows = [(start, end, 90 if start == end else 5) for start in segments for end in segments]
    rows += [(start, GONE, 10) for start in segments] + [(TOO_NEW, end, 9) for end in segments]
    moves = pd.DataFrame([*rows, (TOO_NEW, TOO_NEW, 50)], columns=["from_segment", "to_segment", "n"])
    share = moves["n"] / moves.groupby("from_segment")["n"].transform("sum")
    bounds = {"share_low": 0.9 * share, "share_high": 1 - 0.9 * (1 - share)}
    months = [(f"2025-0{m}-01", name, 100, 1 / len(segments)) for m in range(1, 5) for name in segments]
    shares = pd.DataFrame(months, columns=["month", "segment", "n", "share"])
    changes = pd.DataFrame({"segment": segments, "change_points": 0.0})
    return Drift("test", 0.95, 0.05, segments, shares, moves.assign(share=share, **bounds), changes=changes)


def boxes(ax, texts):
    """Return where texts stand, once all is laid out."""
    ax.get_figure().draw_without_rendering()
    return [text.get_window_extent() for text in texts if text.get_text()]


def heads(ax):
    return [label for label in ax.xaxis.get_ticklabels(which="major") if label.get_text()]


def apart(places):
    return not any(one.overlaps(two) for i, one in enumerate(places) for two in places[:i])


@pytest.mark.parametrize("names", [LONG, BANDS, SEGMENTS])
def test_names_at_the_ends_of_lines_do_not_touch_and_are_whole(names):
    ax = plot_drift(moving(names))
    assert apart(boxes(ax, ax.texts))
    said = [text.replace("\n", " ") for text in words(ax)]
    assert said == [f"{100 / len(names):.0f} % {name}" for name in names]
    lines = [line for text in words(ax) for line in text.split("\n")]
    assert not any(line.strip().startswith("%") for line in lines)


def test_a_segment_has_the_colour_it_has_on_the_page_on_groups():
    drawn = [line.get_color() for line in plot_drift(moving(LONG)).lines]
    assert drawn == [ACCENT, *OTHERS[:4]]


@pytest.mark.parametrize("names", [LONG, BANDS, SEGMENTS])
def test_heads_of_the_matrix_do_not_touch_and_name_every_segment(names):
    ax = plot_migration(moving(names))
    assert apart(boxes(ax, heads(ax)))
    across = [head.get_text().replace("\n", " ") for head in heads(ax)]
    down = [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()]
    numbered = [f"{i}  {name}" for i, name in enumerate(names, start=1)]
    assert across[: len(names)] in ([*names], [str(i + 1) for i in range(len(names))])
    assert down[:-1] == (numbered if across[0] == "1" else [*names])


def test_nothing_in_a_box_is_smaller_than_can_be_read_nor_wider_than_its_box(laid):
    for ax in (plot_migration(moving(LONG)), plot_leaving(laid), plot_board(laid)):
        assert min(text.get_fontsize() for text in ax.texts) >= 8.5
        inside = [text for text in ax.texts if text.get_transform() == ax.transData]
        width = ax.get_window_extent().width / len(heads(ax))
        assert max(box.width for box in boxes(ax, inside)) < width


def test_nearly_all_is_not_drawn_as_all(laid):
    shares = [0.9946, 0.99999, 0.00001, 0.504]
    table = laid.table.head(4).assign(leave_90_share=shares)
    said = words(plot_leaving(dataclasses.replace(laid, table=table)))
    assert [said[i] for i in range(0, 8, 2)] == ["99.5", ">99.9", "<0.1", "50"]


def test_the_matrix_has_a_number_for_every_move(cells):
    moved = sj.drift(cells)
    said = words(plot_migration(moved))
    assert len(said) == 2 * len(moved.migration)


@pytest.mark.parametrize(
    ("view", "kind"), [("", "picture"), ("leaving", "picture"), ("table", "table"), ("forward", "table")]
)
def test_the_board_is_shown(laid, view, kind):
    assert sj.show(laid, name="board", view=view).kind == kind


def test_effects_and_drift_are_shown(works, cells):
    moved = sj.drift(cells)
    assert sj.show(works, name="works").kind == sj.show(moved, name="moved").kind == "picture"
    assert sj.show(moved, name="moves", view="migration").kind == "picture"
    assert (
        sj.show(moved, name="changes", view="changes").kind
        == sj.show(works, name="w", view="table").kind
        == "table"
    )


@pytest.mark.parametrize("view", ["", "table"])
def test_amounts_behind_a_picture_and_in_a_table_say_their_currency(works, view):
    shown = sj.show(works, name="works", view=view)
    heads = [head.text for head in lay_out(shown.data["table"]).heads]
    assert f"Net value, {works.currency}" in heads
    assert works.currency


def test_nothing_is_drawn_where_there_is_nothing(cells, works):
    none = sj.board(cells, works, min_group=100_000)
    bare = Cells("test", "board", {}, {"segments": ["a"], "months": []})
    for plot, result in (
        (plot_board, none),
        (plot_leaving, none),
        (plot_works_on, sj.works_on(bare)),
        (plot_drift, sj.drift(bare)),
        (plot_migration, sj.drift(bare)),
    ):
        with pytest.raises(UndefinedError, match="nothing to draw"):
            plot(result)
        assert sj.show(result, name="none").kind == "missing"
