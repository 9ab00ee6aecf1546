"""Pictures of the board draw what the results hold, and are small enough for a page."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import sojourn as sj
from board_worlds import SEGMENTS, make_board
from sojourn.core.cells import Cells
from sojourn.core.errors import UndefinedError
from sojourn.core.text import count
from sojourn.viz.board import plot_board, plot_drift, plot_leaving, plot_migration, plot_works_on


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
    places = sorted(text.xy[1] for text in ax.texts)
    assert min(np.diff(places)) > 0.02  # names do not touch


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
