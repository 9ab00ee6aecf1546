"""The file of a company's own numbers: what it may hold, and one error for what it may not."""

import pytest

from sojourn.core.errors import DataError
from sojourn.data.reconcile.kpis import TEMPLATE, read_kpis


def written(tmp_path, text):
    path = tmp_path / "kpi.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_can_be_read(tmp_path):
    kpis = read_kpis(written(tmp_path, TEMPLATE))
    assert len(kpis) == TEMPLATE.count("\n") - 1
    first, grouped = kpis[:2]
    assert (first.kind, first.unit, first.n, first.period) == ("retained", "day", 30, "2025-01")
    assert (first.value, first.within) == (0.314, 0.0005)
    assert (grouped.by, grouped.group) == ("channel", "paid")
    units = {kpi.unit for kpi in kpis if kpi.name == "active_members"}
    assert units == {"day", "week", "month"}


@pytest.mark.parametrize(
    ("value", "number", "within"),
    [("0.5", 0.5, 0.05), ("50%", 0.5, 0.005), ("31.40 %", 0.314, 0.00005), ("1", 1.0, 0.5)],
)
def test_decimals_say_how_exact_a_number_is(tmp_path, value, number, within):
    (kpi,) = read_kpis(written(tmp_path, f"kpi,period,value\nstickiness,2025-03,{value}\n"))
    assert (kpi.value, kpi.within) == (pytest.approx(number), pytest.approx(within))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("retaind_day_30,2025-01,3%", "row 1, column kpi: 'retaind_day_30' is not known"),
        ("retained_day_0,2025-01,3%", "row 1, column kpi: 'retained_day_0' asks about the day of joining"),
        ("events,2025-13,3", "row 1, column period: '2025-13' is none"),
        ("events,2025-W54,3", "row 1, column period: '2025-W54' is none"),
        ("events,,3", "row 1, column period: '' is none"),
        ("stickiness,2025-W03,0.2", "row 1, column period: stickiness is counted by month, not by week"),
        ("events,2025-01,3\nevents,2025-02,1 204", "row 2, column value: '1 204' is no number"),
        ("events,2025-01,3%", "row 1, column value: '3%' is a share where a count is asked for"),
        ("stickiness,2025-01,31.4", "row 1, column value: '31.4' is above 1"),
        ("events,2025-01,-3", "row 1, column value: '-3' is no number"),
        (
            "events,2025-01,3\nevents,2025-01,4",
            "row 2, column kpi: the number of row 1 stands here once more",
        ),
        ("events,2025-01,3,4", "row 1: 4 fields where the header has 3"),
        ("", "0 rows"),
    ],
)
def test_a_bad_row_is_named(tmp_path, rows, message):
    with pytest.raises(DataError) as error:
        read_kpis(written(tmp_path, f"kpi,period,value\n{rows}\n"))
    assert message in str(error.value)
    assert "kpi.csv" in str(error.value)


@pytest.mark.parametrize("group", ["paid", "gender=f", "channel="])
def test_a_bad_group_is_named(tmp_path, group):
    with pytest.raises(DataError, match=r"row 1, column group: .* is none"):
        read_kpis(written(tmp_path, f"kpi,period,value,group\nevents,2025-01,3,{group}\n"))


@pytest.mark.parametrize(
    ("header", "message"),
    [("kpi,period,valeu", "value"), ("kpi,period,value,colour", "colour"), ("kpi,period,value,kpi", "twice")],
)
def test_a_bad_header_is_named(tmp_path, header, message):
    with pytest.raises(DataError, match=message):
        read_kpis(written(tmp_path, f"{header}\nevents,2025-01,3,x\n"))


def test_a_missing_file_and_one_in_another_encoding(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_kpis(tmp_path / "none.csv")
    path = tmp_path / "latin.csv"
    path.write_bytes("kpi,period,value,definition\nevents,2025-01,3,für\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_kpis(path)
