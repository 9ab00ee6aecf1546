"""A first section of params.yaml for a stranger's files: what is guessed is marked as a guess."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.folder import PRIVATE_FILE
from sojourn.core.params import Params, read_params
from sojourn.core.project import places, root
from sojourn.core.schema import CONTRACT
from sojourn.data.guess.choose import Guess, choose
from sojourn.data.guess.kinds import look_at
from sojourn.data.guess.sample import Sample, latest, sample
from sojourn.pipeline.declared import check_params
from sojourn.pipeline.private import only_mine

_NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Columns of members by which curves may be drawn.
_GROUPS = ("channel", "plan", "region", "age_band")


@dataclass(frozen=True, slots=True)
class Found:
    """One table of theirs: where it lies, how it is written, what it could be.

    Attributes
    ----------
    path : str
        From the project's root.
    sample : Sample
        Its beginning.
    guess : Guess
        Which column is which.
    """

    path: str
    sample: Sample
    guess: Guess


def new_case(name: str, files: Mapping[str, Path], stated: Sequence[str] = ()) -> str:
    """Write a first mapping of a private case into params.yaml and return what was written.

    Files that do not lie below ``private/`` yet are copied to ``private/data/raw/NAME/``; a key for the
    pseudonyms is made. When anything fails, all is as it was.

    Parameters
    ----------
    name : str
        Of the case: a-z, 0-9 and _.
    files : mapping of str to Path
        File, or folder of Parquet files, of each table of the contract.
    stated : sequence of str
        What the user knows, each as ``TABLE.OURS=THEIRS``.

    Raises
    ------
    ParameterError
        When there is a case of that name, or one of `stated` cannot be understood.
    DataError
        When a file cannot be read or a column that is needed cannot be guessed.
    """
    from sojourn.data.pseudonyms import new_key

    params = read_params()
    _check_name(params, name)
    known = _stated(stated, files)
    looked = {table: _look(table, path, known.get(table, {})) for table, path in files.items()}
    with only_mine(), ExitStack() as undo:
        placed = {table: _placed(name, table, files[table], undo) for table in looked}
        found = {table: Found(placed[table], *parts) for table, parts in looked.items()}
        as_of, key_id = _end(files, found), new_key()
        undo.callback((root() / "private" / "keys" / f"{key_id}.key").unlink)
        text = _written(params, name, found, key_id, as_of)
        _add(text, name)
        undo.pop_all()
    return text["cases"]


def _check_name(params: Params, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ParameterError(f"A case is named by a-z, 0-9 and _, got '{name}': its name becomes a folder.")
    if name in params.cases:
        raise ParameterError(f"There is a case '{name}' already. Choose another name, or edit params.yaml.")


def _stated(stated: Sequence[str], files: Mapping[str, Path]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for text in stated:
        match = re.fullmatch(r"(\w+)\.(\w+)=(.+)", text)
        if match is None or match[1] not in files:
            raise ParameterError(
                f"'{text}' must be TABLE.OURS=THEIRS with one of the tables {', '.join(files)}."
            )
        table, ours, theirs = match.groups()
        columns = [column.name for column in CONTRACT[table].columns]
        if ours not in columns:
            raise ParameterError.unknown(ours, f"the table {table}", columns)
        found.setdefault(table, {})[ours] = theirs
    return found


def _look(table: str, path: Path, known: Mapping[str, str]) -> tuple[Sample, Guess]:
    print(f"  {table}: looking at {path}", file=sys.stderr)
    begin = sample(table, path, str(path))
    looks = {column: look_at(values) for column, values in begin.columns.items()}
    return begin, choose(table, looks, known, str(path))


def _placed(name: str, table: str, path: Path, undo: ExitStack) -> str:
    """Return where a file lies from the project's root, copied below ``private/`` where it was elsewhere."""
    here = path.resolve()
    if here.is_relative_to(root() / "private"):
        return here.relative_to(root()).as_posix()
    target = places(name, private=True).raw / (table if here.is_dir() else table + "".join(here.suffixes))
    if target.exists():
        raise SojournError(f"{target.relative_to(root())} exists already. Remove it, or name it as the file.")
    target.parent.mkdir(parents=True, exist_ok=True)
    undo.callback(_remove, target)
    if here.is_dir():
        shutil.copytree(here, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(here, target)
        target.chmod(PRIVATE_FILE)
    return target.relative_to(root()).as_posix()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _end(files: Mapping[str, Path], found: Mapping[str, Found]) -> datetime:
    """Return the midnight (UTC) after the last event."""
    one = found["events"]
    last = latest(files["events"], one.sample, one.guess.columns["occurred_at"])
    return last.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _written(
    params: Params, name: str, found: Mapping[str, Found], key_id: str, as_of: datetime
) -> dict[str, str]:
    """Return the new entries of every section as YAML, by section."""
    studies = _studies(found)
    like = {pair["study"]: pair for pair in params.pairs(private=False).values()}
    pairs = [
        f"  {name}-{study}: {{case: {name}, study: {study}, from: data/tidy/{name}, "
        f"notebook: {like[study]['notebook']}, estimators: {like[study]['estimators']}}}"
        for study in studies
        if study in like
    ]
    sections = [f"    {study}: {text}" for study, text in studies.items()]
    return {
        "private_inputs": f"  {name}: {{case: {name}, from: data/raw/{name}}}\n",
        "private_pairs": "\n".join(pairs) + "\n",
        "cases": "\n".join([*_about(name), *_prepare(found, key_id, as_of), *sections]) + "\n",
    }


def _about(name: str) -> list[str]:
    title = name.replace("_", " ").capitalize()
    return [
        f"  {name}:                # private: its pages and its lock stay below private/",
        "    about:",
        f"      title: {_scalar(title)}",
        "      kind: real",
        "      source: Our own tables.      # say which export, and of when",
        "      licence: ours",
        '      note: ""',
        '      currency: ""                 # of amounts, such as EUR',
    ]


def _prepare(found: Mapping[str, Found], key_id: str, as_of: datetime) -> list[str]:
    lines = ["    prepare:", "      source: files", "      tables:"]
    lines += [f"        {table}: {_file(one)}" for table, one in found.items()]
    lines += _by_table("columns", {table: _columns(one.guess) for table, one in found.items()})
    lines += _by_table("times", {table: _marked(one.guess.times) for table, one in found.items()})
    lines += _by_table("constants", {table: _marked(one.guess.constants) for table, one in found.items()})
    lines += _by_table("products", {table: _marked(one.guess.products) for table, one in found.items()})
    lines += _listed("leave_out_empty", {table: one.guess.leave_out_empty for table, one in found.items()})
    if any(one.guess.whole_ids for one in found.values()):
        lines.append("      ids: whole_numbers               # guess: 7, 7.0 and 007 are one")
    for table, one in found.items():
        if one.guess.unread:
            lines.append(f"      # not read of {table}: {', '.join(map(_comment, one.guess.unread))}")
    return [
        *lines,
        f'      as_of: "{as_of:%Y-%m-%dT%H:%M:%SZ}"    # guess: the midnight after the last event',
        "      time_zone: UTC                   # guess: whose days count; state the platform's own",
        f"      key_id: {_scalar(key_id)}",
    ]


def _file(one: Found) -> str:
    stated: dict[str, Any] = {"file": one.path}
    guessed = []
    if one.sample.delimiter not in ("", ","):
        stated["delimiter"] = one.sample.delimiter
        guessed.append("delimiter")
    if one.sample.encoding not in ("", "utf-8"):
        stated["encoding"] = one.sample.encoding
        guessed.append("encoding")
    if not one.sample.header:
        stated["header"] = False
        guessed.append("the first line names no columns")
    if len(stated) == 1:
        return _scalar(one.path)
    inside = ", ".join(f"{key}: {_scalar(value)}" for key, value in stated.items())
    return f"{{{inside}}}    # guess: {', '.join(guessed)}"


def _columns(guess: Guess) -> dict[str, str]:
    """Return theirs -> ours, where they differ, each with the reason."""
    return {
        _scalar(theirs): f"{ours}"
        + ("" if guess.why[ours] == "stated" else f"    # guess: {guess.why[ours]}")
        for ours, theirs in guess.columns.items()
        if ours != theirs
    }


def _marked(values: Mapping[str, str | tuple[str, ...]]) -> dict[str, str]:
    plain = {name: value if isinstance(value, str) else list(value) for name, value in values.items()}
    return {name: f"{_scalar(value)}    # guess" for name, value in plain.items()}


def _by_table(section: str, entries: Mapping[str, Mapping[str, str]]) -> list[str]:
    lines = []
    for table, values in entries.items():
        if values:
            lines += [f"        {table}:", *(f"          {key}: {value}" for key, value in values.items())]
    return [f"      {section}:", *lines] if lines else []


def _listed(section: str, entries: Mapping[str, Sequence[str]]) -> list[str]:
    lines = [
        f"        {table}: {_scalar(list(names))}    # guess" for table, names in entries.items() if names
    ]
    return [f"      {section}:", *lines] if lines else []


def _studies(found: Mapping[str, Found]) -> dict[str, str]:
    """Return the section of every study that the tables can carry, in the order of reading."""
    members = found["members"].guess.columns if "members" in found else {}
    groups = [name for name in _GROUPS if name in members]
    churn = "churn: cancellation" if "churned_at" in members else "churn: silence, lapse_days: 30"
    grouped = f"groups: [{', '.join(groups)}]"
    by = groups[0] if groups else "all"
    said = "" if "churned_at" in members else "    # guess: no table says when someone left"
    studies = {
        "quality": "{cells: {}}",
        "portrait": "{cells: {}}",
        "retention": f"{{cells: {{{churn}, {grouped}}}, by: {by}}}{said}",
        "segments": "{cells: {}}",
    }
    if "assignments" in found:
        studies["trials"] = "{cells: {}}    # name the trial, its control and its costs"
    return {study: text for study, text in studies.items() if study in read_params().studies}


def _scalar(value: Any) -> str:
    """Return a value as YAML on one line, in quotes where it needs them."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w./-]*", value)
    if plain and yaml.safe_load(str(value)) == value:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _comment(text: str) -> str:
    return re.sub(r"[^\w ./-]", "?", text)


def _add(sections: Mapping[str, str], name: str) -> None:
    """Add entries at the end of sections of params.yaml; comments and order of all others stay."""
    path = root() / "params.yaml"
    before = path.read_text(encoding="utf-8")
    after = before
    for section, entries in sections.items():
        after = _appended(after, section, entries)
    _replace(path, after)
    try:
        check_params()
        if name not in read_params().cases:
            raise SojournError("params.yaml has a form in which no case can be added. Add it by hand.")
    except SojournError:
        _replace(path, before)
        raise


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _appended(text: str, section: str, entries: str) -> str:
    match = re.search(
        rf"^{section}:(.*)\n((?:[ \t#].*\n|\n)*)", text + "\n" * (not text.endswith("\n")), re.MULTILINE
    )
    if match is None:
        raise ParameterError.missing(section, "params.yaml")
    body = match[2].rstrip("\n")
    head = re.sub(r"\{\s*\}", "", match[1]).rstrip()
    blank = match[2][len(body) :].removeprefix("\n" if body else "")
    whole = f"{section}:{head}\n{body}\n{entries}{blank}" if body else f"{section}:{head}\n{entries}{blank}"
    return text[: match.start()] + whole + text[match.end() :]
