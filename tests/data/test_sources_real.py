"""Raw files of other people come through the door by a mapping alone, with the numbers known of them."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sojourn.data.prepare import prepare

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def shared(name: str) -> str:
    path = SHARED / name
    if not path.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"{name} of the shared data is not here")
    return str(path)


def test_a_log_without_a_header_and_without_a_kind_of_event(project) -> None:
    params = project.case(
        "college_msg",
        prepare={
            "as_of": "2004-10-27T00:00:00Z",
            "time_zone": "America/Los_Angeles",
            "tables": {
                "events": {"file": shared("college_msg/CollegeMsg.txt.gz"), "delimiter": " ", "header": False}
            },
            "columns": {"events": {"column_1": "member_id", "column_3": "occurred_at"}},
            "times": {"events": {"occurred_at": "epoch_seconds"}},
            "constants": {"events": {"event": "message"}},
        },
    )
    made = prepare(params, "college_msg")
    # 59,835 messages by 1,350 senders
    assert json.loads((made / "tidy.json").read_text(encoding="utf-8"))["rows"] == {
        "members": 1350,
        "events": 59_835,
    }
    assert set(pq.read_table(made / "events.parquet")["event"].to_pylist()) == {"message"}


def test_lines_of_invoices_with_amounts_by_quantity_and_price(project) -> None:
    params = project.case(
        "online_retail",
        prepare={
            "as_of": "2011-12-10T00:00:00Z",
            "time_zone": "Europe/London",
            "clock": "local",
            "ids": "whole_numbers",
            "tables": {"events": shared("online_retail/online_retail_2010_2011.parquet")},
            "columns": {
                "events": {"CustomerID": "member_id", "InvoiceDate": "occurred_at", "StockCode": "item_id"}
            },
            "constants": {"events": {"event": "purchase"}},
            "products": {"events": {"amount": ["Quantity", "UnitPrice"]}},
            "leave_out_empty": {"events": ["member_id"]},
        },
    )
    made = prepare(params, "online_retail")
    # 4,372 customers; 541,909 lines of which 135,080 name none
    assert json.loads((made / "tidy.json").read_text(encoding="utf-8"))["rows"] == {
        "members": 4372,
        "events": 541_909 - 135_080,
    }
    left = [row for row in pq.read_table(made / "findings.parquet").to_pylist() if row["finding"] == "empty"]
    assert [(row["column"], row["concerned"]) for row in left] == [("member_id", 135_080)]
    # the sum over lines with a customer of quantity x price, in exact decimals by Python
    events = pq.read_table(made / "events.parquet", columns=["amount"])["amount"].to_pylist()
    assert sum(events) == Decimal("8300065.8140")
