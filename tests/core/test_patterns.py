"""What looks like a person is found in any surroundings, and numbers of a report raise no alarm."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.patterns import ACTIVE, MAYBE_PERSONAL, PERSONAL, found_in, shape

REPORTS = Path(__file__).resolve().parents[2] / "reports"

KNOWN = [
    ("e-mail address", "ada@example.org"),
    ("e-mail address", "a.b+c@mail.example.co.uk"),
    ("e-mail address", "ada%40example.org"),
    ("e-mail address", "jürgen@müller.de"),
    ("phone number", "+49 30 1234567"),
    ("phone number", "+493012345678"),
    ("phone number", "+49 (0)30 1234567"),
    ("phone number", "0049 30 1234567"),
    ("phone number", "030 12345678"),
    ("phone number", "(030) 123 45678"),
    ("phone number", "0171/1234567"),
    ("phone number", "06 12 34 56 78"),
    ("phone number", "020 7946 0958"),
    ("phone number", "(555) 223-4567"),
    ("phone number", "555-223-4567"),
    ("payment card", "4111 1111 1111 1111"),
    ("payment card", "5500-0000-0000-0004"),
    ("payment card", "4111111111111111"),
    ("payment card", "3782 822463 10005"),
    ("bank account", "DE89 3704 0044 0532 0130 00"),
    ("bank account", "GB29NWBK60161331926819"),
    ("bank account", "fr1420041010050500013m02606"),
    ("IP address", "192.168.0.17"),
    ("IP address", "2001:db8::ff00:42:8329"),
    ("pseudonym", "0f" * 32),
]

#: What stands around: anything that does not go on with the word or the number itself.
words = st.text(
    alphabet=st.characters(
        categories=("L", "P", "Zs", "Cc", "Sm"), exclude_characters="@%+-./:'&*=^`|~!#?{}_"
    )
)


@pytest.mark.parametrize(("kind", "value"), KNOWN)
@settings(deadline=None, max_examples=60)
@given(before=words, after=words)
def test_it_is_found_in_any_surroundings(kind, value, before, after):
    text = f"{before} {value} {after}"
    spans = [(f.kind, text[f.start : f.end]) for f in found_in(text)]
    assert (kind, value) in spans, spans
    assert re.search(MAYBE_PERSONAL, text)


@settings(deadline=None)
@given(
    digits=st.text("0123456789", min_size=7, max_size=15),
    word=st.sampled_from(["phone: ", "call me on ", "Tel. "]),
)
def test_digits_behind_a_word_for_a_telephone_are_a_number(digits, word):
    assert [f.kind for f in found_in(f"{word}{digits}")] in (["phone number"], ["payment card"])


@settings(deadline=None)
@given(st.text())
def test_found_places_are_in_order_within_the_text_and_never_overlap(text):
    found = found_in(text, (*PERSONAL, *ACTIVE))
    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize(
    "text",
    [
        "1,234,567,890", "1 234 567 890", "12.345.678", "+12,345,678", "+12 345 678", "1 030 123 456",
        "0.4111111111111111", "2024-01-05 12:30:45", "01.02.2024", "01.02.2024-05.03.2024",
        "phone 2024-05-01", "09.30-10.30", "calls 1,234,567", "M0001234", "00123456789",
        "order 4111111111111112", "550e8400-e29b-41d4-a716-446655440000",
        "00000000-0000-4000-8000-000000000000", "1.26.4", "numpy 2.1.0.1", "12:30:45",
        "30 90 180 365 730", "200 300 4000", "DE00 3704 0044 0532 0130 00", "-0.0123456789012345",
        "1e+4930123456", "fingerprint 0f1e2d3c4b5a", "x @ y.T", "@media print", "SKU-0123-456-789",
        "95 % (0.0123 to 0.4567)", "0030 0040 0050", "a" * 65, "0.123 456 789",
    ],
)  # fmt: skip
def test_numbers_of_a_report_raise_no_alarm(text):
    assert found_in(text) == []


@settings(deadline=None, max_examples=400)
@given(st.integers(-(10**9) + 1, 10**9 - 1), st.integers(0, 6))
def test_a_printed_number_raises_no_alarm(number, digits):
    value = number / 10**digits
    for text in (
        f"{number:,}",
        f"{value:,.{digits}f}",
        f"{value:+.{digits}f}",
        f"{number:_}".replace("_", " "),
    ):
        assert [f.kind for f in found_in(f"of {text} members")] == []


@settings(deadline=None)
@given(st.dates(), st.times())
def test_a_date_raises_no_alarm(day, time):
    for text in (
        f"{day}T{time}",
        f"{day:%d.%m.%Y} {time:%H:%M}",
        f"{day:%m/%d/%Y}",
        f"{day} {time:%H:%M:%S}",
    ):
        assert found_in(text) == []


def test_committed_reports_raise_no_alarm_even_read_as_they_are():
    files = [path for path in REPORTS.rglob("*") if path.suffix in {".html", ".csv", ".json", ".svg"}]
    assert len(files) > 50
    assert [path.name for path in files if found_in(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("script", "<script>alert(1)</script>"), ("script", "</ScRiPt >"),
        ("script", "javascript:alert(1)"),
        ("script", "x onerror=alert(1)"), ("script", 'x" onmouseover = "f()"'),
        ("script", "data:text/html,hi"),
        ("markup", "</td></tr>"), ("markup", "<b>bold"), ("markup", "<!-- x"), ("markup", "a<br>b"),
    ],
)  # fmt: skip
def test_what_a_browser_would_act_on_is_found(kind, text):
    assert kind in {f.kind for f in found_in(text, (kind,))}


@pytest.mark.parametrize(
    "text", ["a < b and b > c", "1 <2", "on time = yes", "x << 3", "once=1 < 2", "-> <-", "I <3 it"]
)
def test_comparisons_are_no_markup(text):
    assert found_in(text, ("markup",)) == []


@settings(deadline=None)
@given(st.text(min_size=5))
def test_a_shape_has_no_letter_or_digit_of_its_text(text):
    assert (
        not set(re.sub(r"[^\w]", "", shape(text))) - set("aA9_") - {c for c in shape(text) if not c.isalnum()}
    )
    assert len(shape(text)) <= 40
