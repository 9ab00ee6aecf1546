"""Rules of segments over counts that are there: in the engine, and as SQL that runs anywhere.

One expression makes both. A member has no segment (`NO_SEGMENT`) who was observed for too short a
time, or of whom a count is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add, and_
from textwrap import wrap
from typing import Any

import ibis
from ibis import Table, Value

from sojourn.core.counted import column_words
from sojourn.core.legible import visible
from sojourn.core.results.take_away import NO_SEGMENT, Condition, Leaf, Points, TakeAway
from sojourn.core.text import percent
from sojourn.data.features.measuring import measure_value

#: Table that the SQL reads: one row per member.
COUNTS_TABLE = "member_counts"

#: Width of the heading.
_WIDTH = 100


def segment_code(counts: Table, rule: TakeAway) -> Value:
    """Return the number of every member's segment, as `TakeAway.assign` gives it.

    Parameters
    ----------
    counts : ibis Table
        The columns `TakeAway.inputs`, as `counted_at` returns them.
    rule : TakeAway
        The rule.
    """
    values = [measure_value(counts, measure) for measure in rule.measures]
    return _decided(_ready(counts, rule), _ways(rule, values), lambda i: ibis.literal(i, "int64"))


def rule_sql(rule: TakeAway) -> str:
    """Return the rule as one SQL query over a table of counts, with a heading that says what to count.

    Parameters
    ----------
    rule : TakeAway
        The rule.

    Returns
    -------
    str
        It returns ``member`` and ``segment`` (its name; NULL where there is none), and runs as it is in
        PostgreSQL and in DuckDB.
    """
    kinds = {name: "decimal(38, 9)" if name in _money(rule) else "int64" for name in rule.inputs}
    counts = ibis.table({"member": "int64", **kinds}, name=COUNTS_TABLE)
    names = {f"measure_{i}": measure_value(counts, m) for i, m in enumerate(rule.measures, start=1)}
    table = counts.select("member", known=_ready(counts, rule), **names)
    values = [table[name] for name in names]
    if rule.kind == "scorecard":
        table = table.select("member", "known", points=_total(rule, values))
        ways = _bands(rule, table.points)
    else:
        ways = _by_leaf(rule.leaves, values)
    segment = _decided(table.known, ways, lambda i: _name(rule, i))
    return _heading(rule) + _text(table.select("member", segment=segment))


def _money(rule: TakeAway) -> set[str]:
    return {name for m in rule.measures if m.decimals for name in (*m.plus, *m.minus)}


def _ready(counts: Table, rule: TakeAway) -> Value:
    """Return whether all counts of a member are known, and were taken over long enough."""
    known = [counts[name].notnull() for name in rule.inputs]
    return _all([*known, counts.observed_days >= rule.counting.min_tenure_days])


def _name(rule: TakeAway, number: int) -> Value:
    return ibis.null("string") if number == NO_SEGMENT else ibis.literal(rule.segments[number], "string")


#: What a member may be, and the number of the segment that it has then. Just one holds: the last if no other.
type _Ways = list[tuple[Value, int]]


def _decided(ready: Value, ways: _Ways, answer: Callable[[int], Value]) -> Value:
    """Return the answer for every member."""
    *most, (_, last) = ways
    said = ((way, answer(number)) for way, number in most if number != last)
    return ibis.cases((~ready, answer(NO_SEGMENT)), *said, else_=answer(last))


def _ways(rule: TakeAway, values: Sequence[Value]) -> _Ways:
    return _by_leaf(rule.leaves, values) if rule.kind == "tree" else _bands(rule, _total(rule, values))


def _by_leaf(leaves: Sequence[Leaf], values: Sequence[Value]) -> _Ways:
    return [(_all([_holds(c, values) for c in leaf.conditions]), leaf.segment) for leaf in leaves]


def _all(conditions: Sequence[Value]) -> Value:
    return reduce(and_, conditions) if conditions else ibis.literal(True)


def _holds(condition: Condition, values: Sequence[Value]) -> Value:
    value, parts = values[condition.measure], []
    if condition.low is not None:
        parts.append(value >= ibis.literal(condition.low, "float64"))
    if condition.high is not None:
        parts.append(value < ibis.literal(condition.high, "float64"))
    return _all(parts)


def _total(rule: TakeAway, values: Sequence[Value]) -> Value:
    return reduce(add, [_points(points, values) for points in rule.card])


def _bands(rule: TakeAway, total: Value) -> _Ways:
    return [*((total < cut, i) for i, cut in enumerate(rule.cuts)), (ibis.literal(True), len(rule.cuts))]


def _points(points: Points, values: Sequence[Value]) -> Value:
    value, given = values[points.measure], [ibis.literal(p, "int64") for p in points.points]
    ways = [
        (value < ibis.literal(bound, "float64"), worth)
        for bound, worth in zip(points.bounds, given[:-1], strict=True)
    ]
    return ibis.cases(*ways, else_=given[-1])


def _text(query: Table) -> str:
    """Return SQL as PostgreSQL reads it, and DuckDB too."""
    from ibis.backends.sql.compilers import PostgresCompiler

    tree = PostgresCompiler().to_sqlglot(query).transform(_without_paren)
    return str(tree.sql(dialect="postgres", pretty=True)) + ";\n"


def _without_paren(node: Any) -> Any:
    """Return a part of a query without parentheses that mean nothing: around comparisons and columns."""
    from sqlglot import exp

    plain = (exp.Predicate, exp.Column, exp.Mul, exp.Literal)
    return (
        node.this
        if isinstance(node, exp.Paren)
        and isinstance(node.this, plain)
        and isinstance(node.parent, exp.And | exp.Not)
        else node
    )


def _heading(rule: TakeAway) -> str:
    """Return the rule in words, as comments: what it is, how faithful, and what every column counts."""
    same = percent(rule.fidelity.same, 0).removesuffix(" %")
    days = rule.counting.min_tenure_days
    columns = [f"  {name}: {column_words(name, rule.counting, rule.currency)}" for name in rule.inputs]
    measured = [f"  measure_{i}: {measure.words}" for i, measure in enumerate(rule.measures, start=1)]
    words = [
        f"Segments of members of {rule.case}, by a {rule.kind} (rule {rule.fingerprint}).",
        f"Of 100 members who did not teach it, {same} get the same segment as by the full segmentation.",
        f"It reads the table {COUNTS_TABLE}: one row per member, counted up to one instant for all.",
        "What happened later, or became known later, is not counted. Columns are whole numbers unless",
        "said otherwise, and 0 where there was nothing to count:",
        *columns,
        "What it compares, made of these; a measure on a bound belongs above it:",
        *measured,
        f"Who was observed for fewer than {days} days, or of whom a count is NULL, has no segment (NULL).",
    ]
    return "".join(f"-- {line}".rstrip() + "\n" for text in words for line in _lines(text))


def _lines(words: str) -> Iterator[str]:
    """Break words into lines of a comment: no name can end one."""
    said = visible(words)
    indent = " " * (len(said) - len(said.lstrip()))
    yield from wrap(said, _WIDTH, subsequent_indent=indent and indent + "  ") or [""]
