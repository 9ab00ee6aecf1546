"""Pictures as blocks: clean, stable, described, with the numbers drawn."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.results.block import MIME, Block
from sojourn.viz.figure import figure
from sojourn.viz.svg import clean
from sojourn.viz.theme import ACCENT, BAND, new_axes

TABLE = pd.DataFrame({"duration": [0, 1], "retained": [1.0, 0.912345]})


def drawn(days: int = 30) -> Axes:
    ax = new_axes()
    x = np.arange(days)
    ax.step(x, 0.99**x, where="post", color=ACCENT)
    ax.fill_between(x, 0.99**x - 0.02, 0.99**x + 0.02, step="post", color=BAND)
    ax.text(3, 0.5, "<b>annual</b> & 会员")
    return ax


def picture(ax: Axes | None = None, **changes: str) -> Block:
    words = {
        "name": "kept",
        "title": "Most stay",
        "subtitle": "Share of members, by day",
        "alt": 'A "falling" curve',
    }
    return figure(ax or drawn(), table=TABLE, **{**words, **changes})


def svg_of(block: Block) -> str:
    return str(block.data["svg"])


def test_the_same_drawing_gives_the_same_bytes() -> None:
    assert picture() == picture()


def test_a_picture_has_a_role_its_description_and_no_fixed_size() -> None:
    root = ET.fromstring(svg_of(picture()))
    assert root.get("role") == "img"
    assert root.get("aria-label") == 'A "falling" curve'
    assert root.get("viewBox") == "0 0 420 260"
    assert {"width", "height"}.isdisjoint(root.attrib)


def test_nothing_of_the_maker_or_the_day_is_left() -> None:
    svg = svg_of(picture())
    assert not re.search(r"metadata|matplotlib|DOCTYPE|<!--|date|<style", svg, re.IGNORECASE)
    assert set(re.findall(r"https?://[^\"]+", svg)) == {"http://www.w3.org/2000/svg"}


def test_ids_begin_with_the_name_so_that_two_pictures_never_meet() -> None:
    one, two = (set(re.findall(r' id="([^"]+)"', svg_of(picture(name=name)))) for name in ("kept", "left"))
    assert one
    assert all(found.startswith("kept-") for found in one)
    assert one.isdisjoint(two)


def test_every_reference_has_its_target() -> None:
    svg = svg_of(picture())
    wanted = set(re.findall(r'(?:url\(|href=")#([^)"]+)', svg))
    assert wanted == set(re.findall(r' id="([^"]+)"', svg))


def test_named_colours_become_variables_that_fall_back_on_themselves() -> None:
    svg = svg_of(picture())
    assert f"stroke:var(--accent,{ACCENT})" in svg
    bare = re.sub(r"var\(--[\w-]+,#[0-9a-f]{6}\)", "", svg)
    assert ACCENT not in bare
    assert BAND not in bare


def test_text_stays_text_and_markup_in_it_is_escaped() -> None:
    svg = svg_of(picture())
    assert "&lt;b&gt;annual&lt;/b&gt; &amp; 会员" in svg


def test_coordinates_have_at_most_one_decimal() -> None:
    numbers = re.findall(r'(?: d| x| y|points|transform)="([^"]*)"', svg_of(picture()))
    assert numbers
    assert not re.search(r"\.\d\d", " ".join(numbers))


def test_a_path_in_steps_ends_where_its_points_end() -> None:
    path = "M 1.04 2.06 L 3.333 2.06 L 3.333 9 L -4.26 0.5 z"
    raw = f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{path}"/></svg>'
    path = ET.fromstring(clean(raw, prefix="a", label="b"))[0].get("d")
    # 1.0 + 2.3 = 3.3, 2.1 + 6.9 = 9.0, 3.3 - 7.6 = -4.3, 9.0 - 8.5 = 0.5
    assert path == "M1 2.1h2.3v6.9l-7.6-8.5z"


def test_a_curve_of_a_year_of_days_for_four_groups_fits() -> None:
    ax = new_axes()
    x = np.arange(366)
    for rate in (0.999, 0.998, 0.996, 0.99):
        ax.step(x, rate**x, where="post")
        ax.fill_between(x, rate**x - 0.01, rate**x + 0.01, step="post")
    assert len(svg_of(picture(ax)).encode()) < 40_000


def test_a_picture_that_is_too_large_is_refused_with_its_size() -> None:
    ax = new_axes()
    ax.scatter(*np.random.default_rng(1).random((2, 3_000)))
    with pytest.raises(SojournError, match=r"'kept' has \d+,\d+ bytes of SVG; at most 40,000"):
        picture(ax)


def test_a_clip_stays_on_the_group_of_a_band_whose_mark_is_moved() -> None:
    root = ET.fromstring(svg_of(picture()))
    moved = [element for element in root.iter() if element.tag.endswith("}use") and element.get("y") == "260"]
    assert moved
    assert not any("clip-path" in element.attrib for element in moved)


def test_what_many_marks_share_is_said_once() -> None:
    ax = new_axes()
    ax.scatter(*np.random.default_rng(1).random((2, 500)))
    svg = svg_of(picture(ax))
    assert svg.count("<use") >= 500
    assert len(svg) / 500 < 50  # twice as much without sharing


def test_a_bitmap_is_refused() -> None:
    ax = new_axes()
    ax.imshow([[0, 1], [1, 0]])
    with pytest.raises(SojournError, match="pcolormesh"):
        picture(ax)


@pytest.mark.parametrize("name", ["Kept", "kept_by", "", "kept by", "../kept"])
def test_a_name_that_is_no_file_name_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="kebab-case"):
        picture(name=name)


@pytest.mark.parametrize("word", ["title", "subtitle", "alt"])
def test_a_picture_without_words_is_refused(word: str) -> None:
    with pytest.raises(ParameterError, match=f"'{word}' of the picture 'kept' is empty"):
        picture(**{word: " "})


def test_the_block_holds_the_numbers_and_shows_the_picture_in_a_notebook() -> None:
    block = picture()
    assert block.data["table"] == {
        "columns": [["duration", "whole"], ["retained", "share"]],
        "rows": [[0, 1.0], [1, 0.912345]],
    }
    bundle = block._repr_mimebundle_()
    assert bundle["image/svg+xml"] == block.data["svg"]
    assert bundle[MIME]["kind"] == "picture"


def test_a_figure_of_pyplot_is_closed_so_that_nothing_shows_it_twice() -> None:
    import matplotlib.pyplot as plt

    _, ax = plt.subplots()
    picture(ax)
    assert plt.get_fignums() == []
