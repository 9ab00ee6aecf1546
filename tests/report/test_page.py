"""The page of one case and study: structure, safety, size, stability."""

import csv
import io
import itertools
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from sojourn.core.errors import SojournError
from sojourn.core.interval import Interval
from sojourn.core.palette import DARK, LIGHT
from sojourn.core.results.headline import Headline
from sojourn.core.text import percent
from sojourn.report import blocks
from sojourn.report import page as pages
from sojourn.report.glossary import render_glossary
from sojourn.report.setting import drawing, least_width, page_css

ATTACK = '"><script>alert(1)</script>'
VOID = {"meta", "input", "br", "link", "img", "hr"}
SVG_VOID = {"path", "use", "circle", "polyline", "rect"}


class Read(HTMLParser):
    """Every element with its attributes, in order; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def block(made: Any) -> Any:
    return pages._Block({"kind": made.kind, **made.data})


def test_the_page_has_one_title_and_its_headings_never_skip_a_level(page: dict[str, Any]) -> None:
    read = Read(pages.render_page(**page))
    levels = [int(tag[1]) for tag, _ in read.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(read.all("main")) == 1
    assert read.all("html")[0]["lang"] == "en"


def test_the_order_of_the_notebook_is_the_order_of_the_page(page: dict[str, Any]) -> None:
    made = pages.render_page(**page)
    wanted = [
        "<h1>",
        'class="sentence"',
        'class="figures"',
        'id="kept-by-day"',
        'class="checks"',
        'id="schemes"',
    ]
    places = [made.index(mark) for mark in [*wanted, 'class="actions"', 'id="foot"']]
    assert places == sorted(places)


def test_every_drawing_is_described(page: dict[str, Any]) -> None:
    read = Read(pages.render_page(**page))
    assert len(read.all("svg")) >= 4
    for attributes in read.all("svg"):
        assert attributes["role"] == "img"
        assert attributes["aria-label"].strip()


def test_every_picture_has_its_numbers_and_a_csv(page: dict[str, Any]) -> None:
    made = pages.render_page(**page)
    pictures = [
        item.content for item in page["items"] if item.kind == "block" and item.content["kind"] == "picture"
    ]
    assert pictures
    for picture in pictures:
        card = re.search(rf'<figure class="card" id="{picture["name"]}">.*?</figure>', made, re.DOTALL)
        assert card
        assert "<details><summary>Numbers behind this picture</summary>" in card.group()
        assert "<table>" in card.group()
        assert f'href="trials/{picture["name"]}.csv"' in card.group()
        assert "of 91 rows, at even steps" in card.group()


def test_no_script_and_no_request_leaves_the_page(page: dict[str, Any]) -> None:
    made = pages.render_page(**page)
    read = Read(made)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & {
        tag for tag, _ in read.elements
    }
    assert not [a for _, a in read.elements if "src" in a or any(name.startswith("on") for name in a)]
    assert not re.search(r"@import|url\((?!#)", made)
    policy = next(a["content"] for a in read.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")


def test_ids_are_distinct_and_links_within_the_page_have_their_target(page: dict[str, Any]) -> None:
    read = Read(pages.render_page(**page))
    ids = [a["id"] for _, a in read.elements if "id" in a]
    assert len(ids) == len(set(ids))
    within = {a["href"][1:] for _, a in read.elements if a.get("href", "").startswith("#")}
    assert within <= set(ids)


def test_every_word_linked_is_in_the_glossary(page: dict[str, Any]) -> None:
    linked = set(re.findall(r"glossary\.html#([\w-]+)", pages.render_page(**page)))
    assert {"credible-interval", "partial-pooling", "scheme"} <= linked
    assert linked <= set(re.findall(r'id="([\w-]+)"', render_glossary()))


def test_the_same_items_give_the_same_bytes(page: dict[str, Any]) -> None:
    assert pages.render_page(**page) == pages.render_page(**page)


def test_code_waits_for_what_it_makes_and_is_one_click_away(page: dict[str, Any]) -> None:
    made = pages.render_page(**page)
    assert made.count('<details class="code">') == 1
    assert made.index("sojourn") > 0
    code = re.search(r'<details class="code">.*?</details>', made, re.DOTALL)
    assert code
    assert "import" in code.group()
    assert "# the sentence" in code.group()
    assert (
        made.index('id="kept-by-day"')
        < made.index('<details class="code">')
        < made.index("What could be wrong")
    )
    assert " open" not in code.group()


@pytest.mark.parametrize(("kind", "words"), sorted(pages.SOURCES.items()))
def test_the_kind_of_source_and_its_note_stand_at_the_top(
    page: dict[str, Any], kind: str, words: str
) -> None:
    page["about"] = {**page["about"], "kind": kind, "note": f"It is {kind}."}
    top = pages.render_page(**page).split('<main id="main">')[0]
    assert words in top
    assert f"It is {kind}." in top


def test_whom_to_ask_stands_at_the_top_where_it_is_known(page: dict[str, Any]) -> None:
    assert "Questions:" not in pages.render_page(**page)
    page["about"] = {**page["about"], "contact": "membership@example.org"}
    top = pages.render_page(**page).split('<main id="main">')[0]
    assert "Questions: membership@example.org" in top


def test_the_page_links_to_no_other_notebook_in_prose(page: dict[str, Any]) -> None:
    made = pages.render_page(**page)
    assert "Go on with the groups." in made
    assert "30-which-groups" not in made


def test_labels_of_a_picture_have_a_halo_in_the_colour_of_the_page() -> None:
    rule = re.search(r"\.drawing text \{([^}]*)\}", str(page_css()))
    assert rule
    assert {"paint-order: stroke", "stroke: var(--paper)"} <= {r.strip() for r in rule.group(1).split(";")}


def test_print_cuts_nothing_off_and_opens_the_passed_checks() -> None:
    printed = str(page_css()).split("@media print")[1]
    assert ".scroll { overflow: visible;" in printed
    assert "details.passed::details-content { content-visibility: visible;" in printed


def test_the_window_of_the_data_is_said_in_words(page: dict[str, Any]) -> None:
    assert "Data from 1 January 2024 to 1 July 2025." in pages.render_page(**page)
    page["cells_meta"] = {"as_of": "1998-07-01T00:00:00Z"}
    assert "Data as of 1 July 1998." in pages.render_page(**page)
    page["cells_meta"] = {"as_of": "2025-06-30T22:00:00Z", "time_zone": "Europe/Berlin"}
    assert "Data as of 1 July 2025." in pages.render_page(**page)
    page["cells_meta"] = {"as_of": ""}
    assert "The date of the data is not stated." in pages.render_page(**page)


def test_the_foot_says_what_differs_and_what_it_was_made_of(page: dict[str, Any]) -> None:
    foot = pages.render_page(**page).split("<footer>")[1]
    assert "<code>groups</code></th><td>plan</td><td>plan, region</td>" in foot
    assert 'href="../../../notebooks/20-which-scheme.ipynb"' in foot
    assert 'href="trials/kept-by-day.csv"' in foot
    page["foot"] = replace(page["foot"], parameters={})
    assert "All parameters have their default values." in pages.render_page(**page)


def test_text_from_data_never_becomes_markup(page: dict[str, Any]) -> None:
    page["about"] = {**page["about"], "title": ATTACK, "note": ATTACK, "source": ATTACK, "licence": ATTACK}
    page["title"] = ATTACK
    page["foot"] = pages.Foot({ATTACK: (ATTACK, [ATTACK])}, ATTACK, ATTACK, ATTACK, ATTACK, {ATTACK: ATTACK})
    frame = pd.DataFrame({"scheme": [ATTACK], ATTACK: [0.5]})
    page["items"] = [
        block(blocks.answer(Headline(ATTACK, ATTACK, "ok", detail=ATTACK))),
        block(blocks.table(frame, name="a", title=ATTACK, note=ATTACK)),
        block(blocks.note(ATTACK)),
        *[replace(page["items"][0], kind=kind, content=ATTACK) for kind in ("prose", "code", "text")],
    ]
    made = pages.render_page(**page)
    Read(made)
    assert "<script" not in made
    assert made.count("&lt;script&gt;") + made.count("&lt;</span><span") >= 12


@pytest.mark.parametrize(
    "bad",
    [
        "<script>1</script>",
        '<path onload="x()" d="M0 0"/>',
        '<use href="https://example.org/a.svg#b"/>',
        "<foreignObject/>",
        '<image href="data:image/png;base64,AA=="/>',
    ],
)
def test_a_picture_that_does_more_than_draw_is_refused(bad: str) -> None:
    with pytest.raises(SojournError, match="A picture holds <"):
        drawing(f'<svg xmlns="http://www.w3.org/2000/svg">{bad}</svg>')


def test_csv_files_hold_the_numbers_shown_with_formulas_made_harmless(page: dict[str, Any]) -> None:
    frame = pd.DataFrame({"scheme": ["=1+1", "+49", "@x", "-x", "fine"], "lift": [-0.5, 0.1, 0.2, 0.3, 0.4]})
    page["items"].append(block(blocks.table(frame, name="attack", title="A")))
    files = pages.csv_files(page["items"])
    assert list(files) == ["attack.csv", "kept-by-day.csv", "schemes.csv"]
    rows = list(csv.DictReader(io.StringIO(files["attack.csv"])))
    assert [row["scheme"] for row in rows] == ["'=1+1", "'+49", "'@x", "'-x", "fine"]
    assert rows[0]["lift"] == "-0.5"
    assert len(files["kept-by-day.csv"].splitlines()) == 92


def test_the_headline_is_flat_sorted_rounded_json(page: dict[str, Any]) -> None:
    text = pages.headline_json(**{k: v for k, v in page.items() if k != "foot"})
    content = json.loads(text)
    assert list(content) == sorted(content)
    assert (content["value"], content["low"], content["high"], content["mass"], content["kind"]) == (
        2.142,
        0.4,
        3.8,
        0.95,
        "eti",
    )
    assert (content["case"], content["study"], content["status"]) == ("demo", "trials", "ok")
    assert content["page"] == "cases/demo/trials.html"
    assert text.endswith("}\n")


def test_the_headline_counts_the_warnings_and_says_its_number_from_all_its_digits(
    page: dict[str, Any],
) -> None:
    given = Interval(86.2264, 84.04999, 88.25001, mass=0.95, kind="eti")
    shown = Headline("So.", "wait", "ok", given, "members in 100")
    page["items"][4] = block(blocks.answer(shown))
    content = json.loads(pages.headline_json(**{k: v for k, v in page.items() if k != "foot"}))
    # 84.04999 is 84.050 in the file, and would be 84.1 if rounded from there
    assert content["low"] == 84.05
    assert content["in_words"] == "86.2 members in 100 (95 % credible interval 84.0 to 88.3)"
    assert content["in_short"] == "86.2 (84.0 to 88.3) members in 100"
    assert content["warnings"] == 1


def test_a_number_of_the_sentence_reads_the_same_in_the_table_and_follows_in_the_csv(
    page: dict[str, Any],
) -> None:
    share = 0.84054  # 84.1 %; rounded to 0.8405 first it would be 84.0 %
    made = block(blocks.table(pd.DataFrame({"kept": [share]}), name="kept", title="Kept"))
    page["items"].append(made)
    assert percent(share) == "84.1 %"
    assert ">84.1</td>" in pages.render_page(**page)
    assert pages.csv_files(page["items"])["kept.csv"] == "kept\n0.8405\n"


@pytest.mark.parametrize("answers", [0, 2])
def test_a_notebook_shows_exactly_one_answer(page: dict[str, Any], answers: int) -> None:
    made = block(blocks.answer(Headline("So it is.", "wait", "ok")))
    rest = {k: v for k, v in page.items() if k not in ("foot", "items")}
    with pytest.raises(SojournError, match=f"exactly one answer .* demo/trials shows {answers}"):
        pages.headline_json([made] * answers, **rest)


def test_two_tables_of_one_name_are_refused(page: dict[str, Any]) -> None:
    page["items"] *= 2
    with pytest.raises(SojournError, match="both named 'kept-by-day'"):
        pages.render_page(**page)


def test_numbers_behind_pictures_give_way_before_a_page_is_too_large(page: dict[str, Any]) -> None:
    """With more words than leave room for the tables, fewer rows stand on the page."""

    def rows_behind(words: int) -> int:
        page["items"][-1:] = [block(blocks.note("word " * words))]
        made = pages.render_page(**page)
        assert len(made.encode()) <= pages.MOST_BYTES
        return made.count("<tr>")

    page["items"].append(block(blocks.note("word")))
    room = (pages.MOST_BYTES - len(pages.render_page(**page).encode())) // 5
    rows = [rows_behind(words) for words in (1, room - 10, room + 100)]
    assert rows[0] == rows[1]
    assert 0 < rows[2] < rows[1]


def test_a_table_of_40_rows_behind_a_picture_is_whole(page: dict[str, Any]) -> None:
    picture = next(item for item in page["items"] if item.kind == "block" and "svg" in item.content)
    rows = [[f"group {i}", i, 0.1] for i in range(40)]
    columns = [["group", "text"], ["n", "count"], ["share", "share"]]
    changed = {**picture.content, "table": {"columns": columns, "rows": rows}}
    page["items"] = [pages._Block(changed)]
    made = pages.render_page(**page)
    assert all(f"<td>group {i}</td>" in made for i in range(40))
    assert "at even steps" not in made


@pytest.mark.parametrize(("size", "width"), [(10, 349), (8.5, 411), (12, 291)])
def test_the_smallest_text_of_a_picture_can_be_read_on_a_narrow_screen(size: float, width: int) -> None:
    texts = "".join(f'<text style="font-size:{px}px">a</text>' for px in (16, size))
    assert least_width(f'<svg viewBox="0 0 420 90">{texts}</svg>') == width
    assert "min-width: var(--least)" in str(page_css())


def test_a_sentence_has_a_wide_column_on_a_narrow_screen_even_where_it_is_the_first() -> None:
    css = str(page_css())
    narrow = css[css.index("@media (max-width: 47.99rem)") :]
    assert "td.sentence { min-width: 15rem; }" in narrow[: narrow.index("@media (max-width: 30rem)")]
    assert css.index(":first-child { min-width") < css.index("td.long {") < css.index("td.sentence {")


def test_a_page_that_is_too_large_is_refused_with_its_size(page: dict[str, Any]) -> None:
    page["items"].append(block(blocks.note("long " * 70_000)))
    with pytest.raises(SojournError, match=r"demo/trials has 3\d\d,\d+ bytes; at most 300,000"):
        pages.render_page(**page)


def test_a_pair_that_cannot_run_says_why_in_one_sentence(page: dict[str, Any]) -> None:
    reason = "segments needs the table `events`, which the case 'demo' does not have."
    shared = {k: page[k] for k in ("about", "case", "study", "title")}
    made = pages.render_page(**{**page, "items": pages.not_possible_items(reason), "cells_meta": {}})
    assert (
        "segments needs the table <code>events</code>, which the case &#39;demo&#39; does not have." in made
    )
    assert "○</span> not possible" in made
    headline = json.loads(pages.headline_json(pages.not_possible_items(reason), cells_meta={}, **shared))
    assert (headline["status"], headline["sentence"], headline["value"]) == ("not possible", reason, None)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_of_text_can_be_read_on_every_ground(colours: dict[str, str]) -> None:
    css = str(page_css())
    text = set(re.findall(r"[;{ ]color: var\(--([\w-]+)\)", css))
    grounds = set(re.findall(r"background: var\(--([\w-]+)\)", css))
    assert {"ink", "muted", "accent", "good", "warn", "bad"} <= text
    assert grounds == {"paper", "ground"}
    assert not re.search(r"[;{ ](?:color|background): (?!var)", css)
    for one in text:
        for other in grounds:
            dark, light = sorted((luminance(colours[one]), luminance(colours[other])))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (one, other)


def test_both_themes_are_made_from_the_palette() -> None:
    css = str(page_css())
    assert css.count(f"--ink:{LIGHT['ink']};") == 2  # on screen and in print
    assert css.count(f"--ink:{DARK['ink']};") == 2  # by the reader's system and by the switch
    assert "/*LIGHT*/" not in css
    assert "/*DARK*/" not in css


def test_type_has_five_sizes() -> None:
    sizes = {int(found) for found in re.findall(r"(?:font-size: |font: )(\d+)px", str(page_css()))}
    assert sizes == {14, 16, 20, 28, 40}


def test_a_private_page_names_what_it_does_not_tell_and_why() -> None:
    meta = {"protected": {"base": 20}, "withheld": ["after", "arrivals", "balance_pairs"]}
    said = pages.protection_words(meta)
    assert "on which day members were assigned and what happened week by week." in said
    assert "payments" not in said
    assert "Not told" not in pages.protection_words({**meta, "withheld": []})
    nothing_paid = {"protected": {"base": 20, "caps": {"revenue": "0"}}}
    assert "Sums" not in pages.protection_words(nothing_paid)
