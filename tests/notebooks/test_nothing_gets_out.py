"""Nothing private gets out, and names are text: a private world full of canaries and of hostile names."""

import ast
import contextlib
import csv
import io
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

import scratch_kernels
from sojourn.core.columns import is_formula
from sojourn.core.legible import legible_names, visible
from sojourn.core.patterns import found_in
from sojourn.core.results.block import MIME, Block
from sojourn.core.schema import CONTRACT as TABLES
from sojourn.data.pseudonyms import Key
from sojourn.estimators.bayes import graph
from sojourn.estimators.bayes.graph import Sampled
from sojourn.estimators.bayes.laplace import fit
from sojourn.estimators.bayes.renewal import SampledRenewal
from sojourn.pipeline.cli import main
from sojourn.pipeline.declared import given_of
from sojourn.pipeline.runner import run
from sojourn.pipeline.runner.notebook import Shown
from sojourn.report.scan import leaks_in
from sojourn.studies.retention import forecast_audit
from sojourn.world import write_world
from sojourn.world.bad.rows import FORMULAS, MARKUP

PROJECT = Path(__file__).resolve().parents[2]
MEMBERS = 600
SECRET = "a key for tests only, not for people"
STUDIES = {
    "portrait": "00-who-is-here",
    "quality": "05-can-we-trust-it",
    "retention": "10-who-stays",
    "trials": "20-which-scheme",
    "segments": "30-which-groups",
    "board": "31-what-to-do-with-whom",
}
ROOMS = {"trials": "bayes", "segments": "cluster", "board": "bayes"}
#: Studies of the private case that go through a kernel: of each kind of cell and output; it takes seconds.
IN_A_KERNEL = ("quality", "retention")

#: What somebody may call a channel, a plan or an event.
ATTACKS = (
    *FORMULAS,
    *MARKUP,
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "$\\frac{1}{0}$ and $",
    "{{ 7*7 }} {% raw %} ${item.case}",
    "`code` *bold* _it_ [a](b) # |",
    "&amp; &#60;b&#62;",
    "line\nbreak\r\n\ttab",
    "\x1b[31mred\x1b[0m \x07\x00",
    "\u202eright to left\u2066",
    "very long " * 200,
    "'; DROP TABLE members; --",
    "%s %d %(a)s {0} {name!r}",
    "\\u0041 \\x41 \\",
    "]]> <!-- -->",
    "名字 Ærøskøbing שלום",
    "=cmd|' /C calc'!A0",
    "\t=1+1",
    "\uff1d1+1",
    "nan",
    "_hidden",
)

#: Columns that no contract knows; they get hostile names too.
UNKNOWN = tuple(f"unknown {i}" for i in range(len(ATTACKS)))

pytestmark = pytest.mark.notebooks


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """The tables of a small world as frames, with columns that no contract knows."""
    made = write_world(
        tmp_path_factory.mktemp("raw") / "world",
        members=MEMBERS,
        seed=5,
        start="2024-01-01T00:00:00Z",
        as_of="2025-07-01T00:00:00Z",
    )
    tables = {name: pd.read_parquet(path) for name, path in made.items() if name in TABLES}
    tables["members"] = tables["members"].assign(**dict.fromkeys(UNKNOWN, "x"))
    return tables


def name_columns(table, frame):
    free = [c.name for c in TABLES[table].columns if c.type == "category" and not c.one_of]
    return [name for name in free if name in frame.columns]


#: Columns whose names stand on pages; they are the first to get hostile ones.
SHOWN = (
    ("members", "plan"),
    ("members", "channel"),
    ("members", "region"),
    ("messages", "channel"),
    ("events", "event"),
)


def names_in(tables):
    """Return every free name of a body of data, those that stand on pages first."""
    columns = [
        *SHOWN,
        *((table, column) for table in tables for column in name_columns(table, tables[table])),
    ]
    found = [sorted(tables[table][column].dropna().unique()) for table, column in columns]
    found.insert(len(SHOWN), UNKNOWN)
    return list(dict.fromkeys(str(name) for names in found for name in names))


def renamed(tables, new):
    return {
        table: frame.assign(
            **{column: frame[column].map(new) for column in name_columns(table, frame)}
        ).rename(columns={column: new[column] for column in UNKNOWN})
        for table, frame in tables.items()
    }


def hostile(names):
    """Return a hostile name for every name; all differ."""
    often = len(names) // len(ATTACKS) + 1
    attacks = [f"{attack}{i or ''}" for i in range(often) for attack in ATTACKS]
    return dict(zip(names, attacks, strict=False))


def harmless(names):
    """Return a harmless name for every name: of the order and the shown length of the hostile one."""
    attacks = hostile(names)
    shown = legible_names(attacks.values())
    rank = {attack: i for i, attack in enumerate(sorted(attacks.values()))}
    letters = str.maketrans("0123456789", "abcdefghij")
    return {
        name: f"{rank[a]:03d}".translate(letters).ljust(len(shown.get(a, a)), "x")
        for name, a in attacks.items()
    }


def project(folder):
    params = yaml.safe_load((PROJECT / "params.yaml").read_text(encoding="utf-8"))
    params["cases"], params["pairs"], params["inputs"] = {}, {}, {}
    params["private_pairs"], params["private_inputs"] = {}, {}
    shutil.copy(PROJECT / "requirements.lock", folder)
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns("kernel-*"))
    scratch_kernels.link(folder)
    return params


def add_case(folder, params, case, tables, trials, *, public):
    base = "data/raw" if public else "private/data/raw"
    raw = folder / base / case
    raw.mkdir(parents=True)
    for name, frame in tables.items():
        frame.to_parquet(raw / f"{name}.parquet", index=False)
    params["cases"][case] = {
        "about": {
            "title": "A case", "kind": "real", "source": "Ours.", "licence": "", "note": "",
            "currency": "EUR", "contact": "data.office@example.org", "public": public,
        },
        "prepare": {
            "source": "files",
            "tables": {name: f"{base}/{case}/{name}.parquet" for name in tables},
            "as_of": "2025-07-01T00:00:00Z", "observed_from": "2024-01-01T00:00:00Z",
            "time_zone": "Europe/Berlin",
            **({} if public else {"key_id": Key(SECRET.encode()).key_id}),
        },
        **{study: {"cells": {}} for study in STUDIES},
        "trials": {**trials, "worlds": 200},
    }  # fmt: skip
    params["cases"][case]["segments"]["cells"]["sample_size"] = 1000
    before = "" if public else "private_"
    params[f"{before}inputs"][case] = {"case": case, "from": f"{base}/{case}"}
    for study, notebook in STUDIES.items():
        params[f"{before}pairs"][f"{case}-{study}"] = {
            "case": case, "study": study, "from": f"data/tidy/{case}", "given": given_of(case, study),
            "notebook": notebook, "estimators": ROOMS.get(study, "survival"), "also": "__init__.py",
        }  # fmt: skip
    metrics = [f"reports/cases/{p['case']}/{p['study']}/headline.json" for p in params["pairs"].values()]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"metrics": metrics}), encoding="utf-8")
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")


def in_this_process(params, cells, source, given):
    """Run a notebook's cells here, as Papermill would, and return what they show: no kernel has to start."""
    scope = {}
    items = []
    for cell in json.loads(source.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            items.append(Shown("prose", text))
            continue
        if "parameters" in cell["metadata"].get("tags", []):
            scope |= given
            continue
        items.append(Shown("code", text))
        items += outputs(text, scope)
    return items


def outputs(text, scope):
    body = ast.parse(text).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(ast.Module(body, []), "cell", "exec"), scope)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), scope) if last else None
    if said.getvalue():
        yield Shown("text", said.getvalue())
    if isinstance(value, Block):
        yield Shown("block", json.loads(json.dumps(value._repr_mimebundle_()[MIME])))
    elif value is not None:
        yield Shown("text", repr(value))


def fast(data, prior, *, seed):
    """Draw from the fast path in place of the sampler, whose model takes long to compile."""
    draws = fit(data, prior).draw(4000, rng=np.random.default_rng(seed))
    return Sampled(draws, r_hat=1.0, ess_bulk=4000.0, divergences=0, sampler="in a test")


def fast_renewal(lost, at_risk, held, centre, scale, *, steps, seed):
    """Give about a tenth lost in each step of every cohort in place of the sampler of forecasts."""
    rng, draws = np.random.default_rng(seed), 1000
    logits, levels = rng.normal(-2.2, 0.1, (draws, steps)), rng.normal(0, 0.01, (draws, len(lost)))
    return SampledRenewal(logits, levels, np.full(draws, 0.01), np.full(draws, 1e4), "in a test")


@pytest.fixture(scope="module")
def reports(raw, tmp_path_factory):
    """Reports of one world, once with hostile names and once with harmless ones as long."""
    folder = tmp_path_factory.mktemp("names")
    params = project(folder)
    hostile_name = hostile(names_in(raw))  # what is invisible would not be published
    for case, names in (("hostile", hostile), ("harmless", harmless)):
        new = names(names_in(raw))
        trials = {
            "cells": {"trial": new["main"]},
            "control": legible_names(new.values()).get(new["none"], new["none"]),
        }
        add_case(folder, params, case, renamed(raw, new), trials, public=True)
        asked = [
            name
            for name in names_in(raw)[: len(ATTACKS)]
            if visible(hostile_name[name]).strip() == hostile_name[name]
        ]
        kpis = pd.DataFrame({"kpi": "new_members", "period": "2024-05", "value": "20"}, index=asked)
        kpis["group"] = [f"plan={new[name]}" for name in asked]
        kpis["definition"] = [new[name] for name in asked]
        kpis.to_csv(folder / f"{case}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOJOURN_ROOT", str(folder))
        patch.setenv("SOJOURN_KEY", SECRET)
        patch.setattr(run, "_items", in_this_process)
        patch.setattr(graph, "sample", fast)
        patch.setattr(forecast_audit, "sample_renewal", fast_renewal)
        assert main(["check-params"]) == 0
        for case in ("hostile", "harmless"):
            assert main(["prepare", case]) == 0
            for study in STUDIES:
                assert main(["cells", case, study]) == 0
                assert main(["run", case, study]) == 0, (case, study)
            assert main(["reconcile", case, "--kpi", str(folder / f"{case}.csv")]) == 0
        assert main(["index"]) == 0
        yield folder / "reports"


class Tree(HTMLParser):
    """Collects elements with the names of their attributes, and every text."""

    def __init__(self):
        super().__init__()
        self.tree = []
        self.words = []

    def handle_starttag(self, tag, attrs):
        self.tree.append((tag, *[name for name, _ in attrs]))
        self.words += [value or "" for _, value in attrs]

    def handle_endtag(self, tag):
        self.tree.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def tree_of(path):
    tree = Tree()
    tree.feed(path.read_text(encoding="utf-8"))
    return tree


@pytest.mark.parametrize("study", [study for study in STUDIES if study not in ("quality", "board")])
def test_a_page_has_the_same_elements_whatever_names_are(reports, study):
    spoilt, plain = (tree_of(reports / "cases" / case / f"{study}.html") for case in ("hostile", "harmless"))
    assert spoilt.tree == plain.tree


@pytest.mark.parametrize("page", ["quality", "reconcile", "board"])
def test_a_page_that_depends_on_names_has_no_other_elements(reports, page):
    """What is odd of names is said of them; and the order of names decides which members form groups."""
    plain = {e for path in (reports / "cases/harmless").glob("*.html") for e in tree_of(path).tree}
    assert set(tree_of(reports / f"cases/hostile/{page}.html").tree) <= plain


def test_no_study_went_by_because_of_its_data(reports):
    said = [path.read_text(encoding="utf-8") for path in (reports / "cases").rglob("headline.json")]
    assert len(said) == 2 * len(STUDIES)
    assert not [text for text in said if json.loads(text)["status"] == "not possible"]


def test_hostile_names_stand_on_the_pages_as_text(reports):
    pages = (reports / "cases/hostile").glob("*.html")
    words = [word for path in pages for word in tree_of(path).words]
    shown = legible_names(ATTACKS)
    texts = [word.replace("\xa0", " ") for word in words]
    seen = [a for a in ATTACKS if any(shown.get(a, a).strip() in text for text in texts)]
    assert len(seen) >= len(ATTACKS) - 4, set(ATTACKS) - set(seen)


def test_the_scorecard_has_the_same_elements_for_both(reports):
    """But of quality, whose answer says what is odd of names."""
    by_case = {"hostile": [], "harmless": []}
    for line in (reports / "index.html").read_text(encoding="utf-8").split("<li>")[1:]:
        if "/quality.html" in line:
            continue
        item = Tree()
        item.feed(line.split("</li>")[0])
        by_case["hostile" if "cases/hostile/" in line else "harmless"].append(item.tree)
    assert len(by_case["hostile"]) == len(STUDIES) - 1
    assert by_case["hostile"] == by_case["harmless"]


def test_no_table_has_a_cell_that_a_spreadsheet_would_run(reports):
    cells = [
        cell
        for path in (reports / "cases/hostile").rglob("*.csv")
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        for cell in row
    ]
    assert [cell for cell in cells if is_formula(cell)] == []
    assert any(cell.startswith("'=") for cell in cells), "no formula reached a table, so nothing was tried"


def test_nothing_of_a_hostile_report_is_hidden_or_acts(reports):
    files = [path for path in (reports / "cases/hostile").rglob("*") if path.is_file()]
    stated = ["data.office@example.org"]
    leaks = [leak for f in files for leak in leaks_in(f.name, f.read_text(encoding="utf-8"), stated=stated)]
    assert leaks == []


#: Parts of what is planted in raw tables and may stand in no result.
CANARIES = (
    "canaryid",
    "canaryitem",
    "canarycreator",
    "canarysays",
    "canary.example",
    "5550199",
    "canaryname",
)


def with_canaries(tables):
    """Return tables in which every id, item, comment and a few names are canaries."""
    planted = {name: frame.copy() for name, frame in tables.items()}
    for frame in planted.values():
        for column in {"member_id", "referred_by", "prospect_id"} & set(frame.columns):
            frame[column] = frame[column].map(
                lambda value: value if pd.isna(value) else f"CanaryId{value}@canary.example"
            )
        if "item_id" in frame:
            frame["item_id"] = frame["item_id"].map(
                lambda value: value if pd.isna(value) else f"CanaryItem{value}"
            )
    planted["items"]["creator"] = [f"CanaryCreator {i}" for i in range(len(planted["items"]))]
    said = [
        f"CanarySays {i}: write to me{i}@canary.example or +1 202 5550199"
        for i in range(len(tables["responses"]))
    ]
    planted["responses"]["comment"] = said
    planted["members"]["name"] = [f"CanaryName {i}" for i in range(len(tables["members"]))]
    planted["members"]["e_mail"] = [f"m{i}@canary.example" for i in range(len(tables["members"]))]
    return planted


def kept_items(params, cells, source, given):
    """Run a notebook in a kernel, or here."""
    through = in_a_kernel if cells.study in IN_A_KERNEL else in_this_process
    return through(params, cells, source, given)


in_a_kernel = run._items


@pytest.fixture(scope="module")
def private(raw, tmp_path_factory):
    """A private world full of canaries, through all stages; its folder, and what was printed."""
    folder = tmp_path_factory.mktemp("private")
    params = project(folder)
    add_case(folder, params, "ours", with_canaries(raw), {"cells": {}}, public=False)
    printed = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stderr(printed),
        contextlib.redirect_stdout(printed),
    ):
        patch.setenv("SOJOURN_ROOT", str(folder))
        patch.setenv("SOJOURN_KEY", SECRET)
        patch.setattr(run, "_items", kept_items)
        patch.setattr(graph, "sample", fast)
        words = [["check-params"], ["prepare", "ours"]]
        words += [[word, "ours", study] for study in STUDIES for word in ("cells", "run")]
        (folder / "kpi.csv").write_text("kpi,period,value\nnew_members,2024-05,20\n", encoding="utf-8")
        words += [["reconcile", "ours", "--kpi", str(folder / "kpi.csv")]]
        words += [["index", "--private"], ["scan", "--private"]]
        done = {" ".join(word): main(word) for word in words}
    assert set(done.values()) == {0}, (done, printed.getvalue())
    return folder / "private", printed.getvalue()


def canaries_in(text):
    return [canary for canary in CANARIES if canary in text.lower()]


def columns_of(path):
    table = pq.read_table(path)
    return {name: " ".join(map(str, set(table[name].to_pylist()))) for name in table.column_names}


def test_no_page_table_or_headline_of_a_private_case_holds_a_canary(private):
    files = [path for path in (private[0] / "reports").rglob("*") if path.is_file()]
    assert len(files) > 4 * len(STUDIES)
    assert [path.name for path in files if canaries_in(path.read_text(encoding="utf-8"))] == []


def test_no_executed_notebook_log_or_message_holds_a_canary(private):
    kept = [path for path in (private[0] / ".sojourn").rglob("*") if path.is_file()]
    executed = {path.name for path in kept if path.suffix == ".ipynb"}
    assert executed == {f"ours-{study}.ipynb" for study in IN_A_KERNEL}  # a run that succeeds keeps its copy
    assert [path.name for path in kept if canaries_in(path.read_text(encoding="utf-8"))] == []
    assert canaries_in(private[1]) == []


def test_no_cell_holds_a_canary_and_tidy_tables_only_what_the_contract_lets_in(private):
    cells = {path.name: columns_of(path) for path in (private[0] / "data/cells").rglob("*.parquet")}
    assert [
        name for name, columns in cells.items() if canaries_in(" ".join([*columns, *columns.values()]))
    ] == []
    held = {
        (name, canary)
        for path in (private[0] / "data/tidy").rglob("*.parquet")
        for name, words in columns_of(path).items()
        for canary in canaries_in(f"{name} {words}")
    }
    assert held <= {("item_id", "canaryitem"), ("creator", "canarycreator")}
    others = [
        p for p in (private[0] / "data").rglob("*") if p.suffix in {".json", ".csv"} and "raw" not in p.parts
    ]
    assert [path.name for path in others if canaries_in(path.read_text(encoding="utf-8"))] == []


def test_no_result_of_a_private_case_holds_a_pseudonym(private):
    files = [path for path in (private[0] / "reports").rglob("*") if path.is_file()]
    kept = [*files, *(private[0] / ".sojourn").rglob("*.ipynb")]
    found = [path.name for path in kept if found_in(path.read_text(encoding="utf-8"), ["pseudonym"])]
    assert found == []
