"""A parameter file is data: whatever would build, repeat or run something is one clear error."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn.core.errors import ParameterError
from sojourn.core.plain_yaml import MOST_CHARACTERS, read_plain_yaml

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: !!python/object/apply:os.system ['id']",
         "the tag 'tag:yaml.org,2002:python/object/apply:os.system'"),
        ("x: 1\na: !!python/name:os.system", "line 2 holds the tag"),
        ("a: !include other.yaml", "holds the tag '!include'"),
        ("a: !!binary aGk=", "holds the tag"),
        ("!!timestamp x: 1", "holds the tag"),
        (LAUGHS, "line 1 holds an anchor or alias"),
        ("a: 1\nb: *a", "anchor or alias"),
        ("a: 1\nb: 2\na: 3", "line 3 holds the name 'a' a second time"),
        ("? [1, 2]\n: 3", "a name that is no text"),
        ("a: " + "[" * 3000, "sections more than 40 deep"),
        ("a: " + "9" * 5000, "is not readable YAML"),
        ("a: \x00", "is not readable YAML"),
        ("a: [", "is not readable YAML"),
        ("a: 2024-99-99", "is not readable YAML"),
        ("#" * (MOST_CHARACTERS + 1), "at most 1,000,000 are read"),
    ],
)  # fmt: skip
def test_what_is_more_than_data_is_one_clear_error(text, said):
    with pytest.raises(ParameterError) as raised:
        read_plain_yaml(text, "params.yaml")
    assert said in str(raised.value)
    assert str(raised.value).startswith("params.yaml")
    assert "\n" not in str(raised.value)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text("abc: -#'\"{}[]&*!|>%@`\n", max_size=8),
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.dictionaries(st.text("ab-&*!: ", min_size=1, max_size=4), parts, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(plain)
def test_plain_data_is_read_as_it_was_written(data):
    import yaml

    assert read_plain_yaml(yaml.safe_dump(data, allow_unicode=True), "x.yaml") == data


@settings(deadline=None, max_examples=400)
@given(st.text("ab:- {}[]!&*?|>'\"%#,\n\t1", max_size=40))
def test_any_text_is_data_or_one_clear_error(text):
    with contextlib.suppress(ParameterError):
        read_plain_yaml(text, "x.yaml")
