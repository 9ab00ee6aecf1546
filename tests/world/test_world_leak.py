"""No table tells by its form what is hidden: not by ids, order of rows, or how files are laid out.

A gradient boosting model is shown all that has nothing to do with what members do: digits of their ids, where
their rows stand in every table and file, and how these places relate. It has to guess hidden properties of
members. What it reaches is compared with what it reaches on the same properties in shuffled order: there is
nothing to find in them, so these scatter as chance does, learning included.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from sojourn.world import write as module
from sojourn.world import write_world

#: Three blocks in two parts, the last block not whole: 10,000 members.
ASKED = {"members": 10_000, "seed": 21, "as_of": "2025-07-01T00:00:00Z", "start": "2025-01-01T00:00:00Z"}
#: Tables with rows of members, in which these stand in some order.
ORDERED = (
    "events",
    "assignments",
    "costs",
    "spells",
    "messages",
    "ledger",
    "responses",
    "tickets",
    "touches",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("leak") / "world"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PART", 2)
        write_world(path, **ASKED)
    return path


@pytest.fixture(scope="module")
def hidden(folder) -> pd.DataFrame:
    """Return what is to be guessed of each member, as yes or no."""
    truth = pd.read_parquet(folder / "truth/members").set_index("member_id")
    left = truth.left_after_days.fillna(np.inf)
    found = {
        "frequent buyer": truth.segment == "frequent buyers",
        "never takes off": truth.segment == "never take off",
        "leaves early": left < np.median(left),
        "comes often": truth.own_sessions > truth.own_sessions.median(),
    }
    return pd.DataFrame(found)


def layout(folder) -> pd.DataFrame:
    """Return form without content: where the rows of each member stand, in which file and row group."""
    rows = []
    for number, part in enumerate(sorted((folder / "members").iterdir())):
        file = pq.ParquetFile(part)
        for group in range(file.num_row_groups):
            ids = file.read_row_group(group, columns=["member_id"])["member_id"].to_pylist()
            rows += [(member, number, group, place, place % 64) for place, member in enumerate(ids)]
    found = pd.DataFrame(rows, columns=["member_id", "part", "group", "in_group", "in_page"])
    found = found.set_index("member_id")
    found["row"] = np.arange(len(found))
    number = found.index.str[1:].astype(int)
    for power in range(5):
        found[f"digit {power}"] = number // 10**power % 10
    found["id"] = number
    for table in ORDERED:
        found[table] = places(folder, table, found)
    return found


def places(folder, table: str, members: pd.DataFrame) -> pd.Series:
    """Return by how many places each member stands elsewhere in a table than its id would have it.

    Only the order in which members first appear counts; how many rows they have is what they do.
    """
    named = pd.read_parquet(folder / table, columns=["member_id"]).member_id.dropna()
    order = pd.Series(np.arange(named.nunique()), index=named.drop_duplicates())
    expected = members["id"].reindex(order.index).rank() - 1
    return (order - expected).reindex(members.index).fillna(0.0)


def reached(form: pd.DataFrame, answer: np.ndarray, seed: int = 0) -> float:
    """Return the cross-validated area under the curve of a small model that guesses an answer."""
    model = HistGradientBoostingClassifier(max_iter=25, max_depth=4, random_state=seed, early_stopping=False)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    with threadpool_limits(1):  # threads that wait for each other would take most of the time
        guess = cross_val_predict(model, form.to_numpy(float), answer, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(answer, guess))


def margin(form: pd.DataFrame, answer: np.ndarray, times: int = 20) -> tuple[float, float]:
    """Return mean and four standard deviations of what is reached when there is nothing to find.

    Twenty shuffles give the standard deviation within a third; four of them are about 0.03: a leak that
    reaches 0.54 is found.
    """
    rng = np.random.default_rng(5)
    null = [reached(form, rng.permutation(answer), seed) for seed in range(times)]
    return float(np.mean(null)), float(4 * np.std(null, ddof=1))


@pytest.fixture(scope="module")
def form(folder) -> pd.DataFrame:
    return layout(folder)


@pytest.fixture(scope="module")
def scatter(form, hidden) -> tuple[float, float]:
    """Return mean and margin for an answer of which a fifth is yes: those of halves scatter less."""
    middle, width = margin(form, hidden["frequent buyer"].to_numpy())
    assert abs(middle - 0.5) < 0.02
    assert width < 0.045
    return middle, width


@pytest.mark.parametrize("name", ["frequent buyer", "never takes off", "leaves early", "comes often"])
def test_form_tells_nothing_of_what_is_hidden(form, hidden, scatter, name):
    middle, width = scatter
    assert np.array_equal(form.index, hidden.index)
    assert abs(reached(form, hidden[name].to_numpy()) - middle) < width


def test_members_sorted_by_segment_would_be_found_out(form, hidden):
    """The test can fail: within each row group the segment's members come first."""
    answer = hidden["frequent buyer"].to_numpy()
    order = np.lexsort((~answer, form["group"], form["part"]))
    assert reached(form, answer[order]) > 0.9


def test_a_faint_leak_in_the_ids_would_be_found_out(form, hidden, scatter):
    """The test can fail: a sixth of the members have an id whose last digit tells who comes often."""
    middle, width = scatter
    answer = hidden["comes often"].to_numpy().copy()
    leaks = np.random.default_rng(1).random(len(answer)) < 1 / 6
    answer[leaks] = (form["digit 0"] < 5).to_numpy()[leaks]
    assert reached(form, answer) - middle > width


def test_a_table_in_the_order_of_what_is_hidden_would_be_found_out(form, hidden, scatter):
    """The test can fail: messages stand in the order of joining but for frequent buyers, who come first."""
    middle, width = scatter
    answer = hidden["frequent buyer"].to_numpy()
    place = np.argsort(np.lexsort((form["id"], ~answer))) - form["id"].to_numpy()
    assert reached(form.assign(messages=place), answer) - middle > width


def test_tables_list_members_in_the_order_of_their_ids(form):
    """The test can fail: messages are listed in the order of ids but for frequent buyers, who come first."""
    for table in set(ORDERED) - {"touches"}:
        assert (form[table] == 0).all(), table
