"""The scorecard."""

import itertools
import re
from typing import Any

import pytest

from sojourn.report.index import render_index


def entry(case: str, study: str = "trials", **changes: Any) -> dict[str, Any]:
    made = {
        "as_of": "2025-07-01T00:00:00Z",
        "as_of_words": "Data as of 1 July 2025.",
        "case": case,
        "case_title": case.title(),
        "detail": "",
        "high": 3.8,
        "kind": "eti",
        "low": 0.4,
        "mass": 0.95,
        "page": f"cases/{case}/{study}.html",
        "question": {"trials": "Which incentive?", "retention": "Who stays?", "segments": "Which groups?"}[
            study
        ],
        "sentence": f"The sentence of {case}.",
        "source": "real",
        "status": "ok",
        "study": study,
        "unit": "members in 100",
        "value": 2.1,
        "verdict": "ship",
        "warnings": 0,
    }
    words = f"{made['value']} {made['unit']} (95 % credible interval {made['low']} to {made['high']})"
    short = f"{made['value']} ({made['low']} to {made['high']}) {made['unit']}"
    return {"in_words": words, "in_short": short, **made, **changes}


ENTRIES = [
    entry("demo", source="simulated"),
    entry("shop", low=-4.0, value=-1.0, high=1.0, verdict="no difference worth having"),
    entry("shop", "retention", unit="%"),
    entry(
        "telco",
        "retention",
        source="fictional",
        status="blocked",
        verdict="blocked",
        detail="A check failed.",
    ),
    entry(
        "cdnow",
        "segments",
        status="not possible",
        verdict="not possible",
        sentence="It needs the table `events`.",
        as_of="",
        **dict.fromkeys(("value", "low", "high", "mass", "kind")),
    ),
]


def test_one_row_per_pair_with_sentence_link_verdict_and_source() -> None:
    made = render_index(ENTRIES)
    for one in ENTRIES:
        assert made.count(f'href="{one["page"]}"') == 1
    assert made.count("<li>") == len(ENTRIES)
    assert "The sentence of demo." in made
    assert "It needs the table <code>events</code>." in made
    assert "◆</span> no difference worth having" in made
    assert "■</span> blocked" in made
    assert "A check failed." in made
    assert "Fictional data" in made
    assert "Data as of 1 July 2025." in made


def test_questions_come_in_the_order_of_reading_and_real_data_first() -> None:
    made = render_index(ENTRIES)
    assert re.findall(r"<h2>(.*?)</h2>", made) == ["Who stays?", "Which incentive?", "Which groups?"]
    assert made.index("cases/shop/trials.html") < made.index("cases/demo/trials.html")


def test_the_order_in_which_headlines_come_does_not_matter() -> None:
    pages = {render_index(order) for order in itertools.permutations(ENTRIES)}
    assert len(pages) == 1


def dots(made: str) -> list[float]:
    return [float(found) for found in re.findall(r'circle cx="([\d.]+)"', made)]


def test_a_share_is_drawn_from_0_to_100_whatever_the_other_rows_are() -> None:
    rows = [entry(f"case{v}", "retention", value=v, low=v - 1, high=v + 1) for v in (80.0, 90.0)]
    # 90 of 96 px from 3
    assert dots(render_index(rows)) == [75.0, 84.0]
    assert dots(render_index(rows[:1])) == [75.0]


def test_a_difference_has_a_scale_of_its_own_from_zero_and_its_number_beside_it() -> None:
    rows = [
        entry(
            "a",
            value=3.0,
            low=2.0,
            high=4.0,
            unit="EUR per member",
            in_words="3.00 EUR (…)",
            in_short="3.0 EUR",
        ),
        entry("b", value=0.3, low=0.2, high=0.4, unit="EUR per member"),
    ]
    made = render_index(rows)
    assert dots(made) == [70.5, 70.5]
    assert re.findall(r'"M([\d.]+) 2v20"', made) == ["3.0", "3.0"]
    assert 'aria-label="3.00 EUR (…)"' in made.replace("\xa0", " ")
    assert '<span class="number">3.0 EUR</span>' in made.replace("\xa0", " ")


def test_the_shapes_are_explained_before_the_first_answer_and_warnings_counted_beside_each() -> None:
    made = render_index([entry("a", warnings=2), entry("b", warnings=1), entry("c")])
    assert made.index("◆</span> no clear-cut action") < made.index("<h2>")
    assert re.findall(r"\d\xa0warnings?|\d warnings?", made) == ["2 warnings", "1 warning"]


def test_a_pair_without_a_number_has_no_bar() -> None:
    groups = render_index(ENTRIES).split("Which groups?")[1]
    assert "<svg" not in groups


@pytest.mark.parametrize(
    ("entries", "summary"),
    [
        (
            ENTRIES,
            "5 reports on 4 bodies of data: 3 answered, 1 held back by a failed check and 1 not possible",
        ),
        (
            [
                entry("a", warnings=2),
                entry("b"),
                entry("c", verdict="ship (exercise)"),
                entry("d", status="blocked", warnings=1),
            ],
            "4 reports on 4 bodies of data: 3 answered (1 with a warning, 1 as an exercise) and 1 held back",
        ),
        (ENTRIES[:1], "1 report on 1 body of data: 1 answered."),
    ],
)
def test_the_summary_counts_what_is_open(entries: list[dict[str, Any]], summary: str) -> None:
    assert summary in render_index(entries)


def test_text_of_a_headline_never_becomes_markup() -> None:
    attack = "<script>alert(1)</script>"
    made = render_index(
        [entry("a", sentence=attack, verdict=attack, detail=attack, case_title=attack, unit=attack)]
    )
    assert "<script" not in made


def test_no_script_and_no_request_leaves_the_index() -> None:
    made = render_index(ENTRIES)
    assert not re.search(r"<(?:script|link|img|iframe)|@import|url\(|src=", made)
    assert "default-src &#39;none&#39;" in made or "default-src 'none'" in made
