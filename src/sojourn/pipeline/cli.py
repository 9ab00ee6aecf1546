"""The command line: one word per stage, and the words behind ``make``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sojourn.core.errors import ParameterError, SojournError
from sojourn.core.legible import visible
from sojourn.core.project import root
from sojourn.pipeline.machine import STEADY, is_steady
from sojourn.pipeline.trouble import trouble


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; a `SojournError` becomes one line on stderr and exit code 1.

    As a program it first sees to it that it runs in the steady environment, on which bytes depend.
    """
    if argv is None and not is_steady():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **STEADY})
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except SojournError as error:
        print(f"sojourn: {_printable(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "sojourn: stopped; what was finished is kept, the same command goes on from there.",
            file=sys.stderr,
        )
        return 130
    except Exception as error:
        said = trouble(error)
        if said is None:
            raise
        print(f"sojourn: {_printable(said)}", file=sys.stderr)
        return 1


def _printable(message: str) -> str:
    """Return a message without anything a terminal would act on; its further lines are set in."""
    return "\n  ".join(visible(line) for line in message.split("\n"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sojourn", description=__doc__)
    words = parser.add_subparsers(required=True, metavar="WORD")

    def word(
        name: str, command: Callable[[argparse.Namespace], int], text: str, *names: str
    ) -> argparse.ArgumentParser:
        sub = words.add_parser(name, help=text, description=text)
        for argument in names:
            sub.add_argument(argument)
        sub.set_defaults(command=command)
        return sub

    _add_world(word("world", _world, "draw a simulated platform of any size into a folder"))
    through = word("prepare", _prepare, "send a case through the door", "case")
    through.add_argument("--anew", action="store_true", help="of a case that grows, read everything again")
    word("check", _check, "send a case through the door, say what is odd, and write nothing", "case")
    _add_new_case(
        word("new-case", _new_case, "write a first mapping of your own tables into params.yaml", "name")
    )
    frozen = word(
        "freeze", _freeze, "write the plan of a case's trial down, before its outcomes are known", "case"
    )
    frozen.add_argument("--at", metavar="INSTANT", help="when it was frozen (now)")
    scored = word(
        "score", _score, "list all members with their segments, by the rule of the case's page", "case"
    )
    scored.add_argument("--at", metavar="DATE", help="as they were on this date (the end of the data)")
    scored.add_argument("--out", type=Path, help="CSV or Parquet file (data/scored/CASE/members.csv)")
    word("cells", _cells, "make the cells of a pair", "case", "study")
    word("run", _run, "run the notebook of a pair and render its page", "case", "study")
    index = word("index", _index, "write the scorecard, the glossary and the machine class")
    index.add_argument("--private", action="store_true", help="of the private cases")
    scan = word("scan", _scan, "search all reports for what may not be published")
    scan.add_argument("--private", action="store_true", help="of the private cases")
    word("check-params", _check_params, "check params.yaml and that the pipeline lists what it names")
    word("reproduce", _reproduce, "check the parameters and run every stage that is stale")
    verify = word("verify", _verify, "rebuild the last commit in a scratch clone and compare every file")
    verify.add_argument("--case", action="append", default=[], help="only this case (may be repeated)")
    verify.add_argument("--keep", action="store_true", help="keep the scratch clone")
    word("lab", _lab, "open JupyterLab on the notebooks, in the environment that the pipeline uses")
    _add_reconcile(word("reconcile", _reconcile, "explain a company's own numbers by definition"))
    word("new-key", _new_key, "make a key for the pseudonyms of a private case and print its key_id")
    relink = word("relink", _relink, "find the ids of a list of members of a private case, inside private/")
    relink.add_argument("list", type=Path, help="CSV with a column `pseudonym` or `member`")
    relink.add_argument("--case", required=True, help="name of the case")
    relink.add_argument("--out", type=Path, help="file below private/ (LIST.ids.csv beside the list)")
    forget = word("forget", _forget, "take members out of a case: raw tables and all that was made of them")
    forget.add_argument("member", nargs="*", help="id as in the raw tables; rather name them in a --file")
    forget.add_argument("--case", required=True, help="name of the case")
    forget.add_argument("--file", type=Path, help="file with one id a line")
    forget.add_argument("--dry-run", action="store_true", help="only say what would be done")
    word("readme", _readme, "rewrite the part of README.md that says what was found")
    word("environment", _environment, "print environment.yml as it follows from requirements.lock")
    return parser


def _add_new_case(new: argparse.ArgumentParser) -> None:
    from sojourn.core.schema import CONTRACT

    for table, contract in CONTRACT.items():
        text = f"file, or folder of files: {contract.row} in a row"
        new.add_argument(f"--{table}", type=Path, metavar="FILE", help=text)
    known = "which of your columns is which, where it cannot be guessed (may be repeated)"
    new.add_argument("--column", action="append", default=[], metavar="TABLE.OURS=YOURS", help=known)
    new.add_argument("--zone", help="time zone of the platform, such as Europe/Berlin")


def _add_reconcile(reconcile: argparse.ArgumentParser) -> None:
    reconcile.add_argument("case", nargs="?", help="a case that has gone through the door")
    reconcile.add_argument("--kpi", type=Path, metavar="FILE", help="CSV of the company's numbers")
    reconcile.add_argument("--zone", action="append", default=[], help="a further time zone to try")
    reconcile.add_argument("--template", action="store_true", help="print a file of numbers to start from")


def _add_world(world: argparse.ArgumentParser) -> None:
    world.add_argument("--members", type=int, required=True, help="number of members")
    world.add_argument("--out", type=Path, required=True, help="folder; a world in it is replaced")
    world.add_argument("--seed", type=int, default=20261121, help="same seed, same bytes (%(default)s)")
    world.add_argument("--as-of", default="2025-07-01T00:00:00Z", help="end of observation (%(default)s)")
    world.add_argument("--world", help="which of the simulated worlds (demo)")
    world.add_argument("--effects", type=float, help="strength of the schemes (1)")
    world.add_argument("--separation", type=float, help="distance of the hidden segments (1)")
    world.add_argument("--workers", type=int, default=1, help="processes that draw (%(default)s)")


def _world(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.world import draw_world

    names = ("members", "seed", "as_of", "world", "effects", "separation", "workers")
    stated = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    try:
        draw_world(arguments.out, **stated)
    except KeyboardInterrupt:
        print(f"sojourn: stopped; {arguments.out} is as it was before.", file=sys.stderr)
        return 130
    return 0


def _prepare(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.stages import prepare

    prepare(arguments.case, anew=arguments.anew)
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.check import check

    return check(arguments.case)


def _new_case(arguments: argparse.Namespace) -> int:
    from sojourn.core.schema import CONTRACT
    from sojourn.pipeline.new_case import new_case

    stated = {table: getattr(arguments, table) for table in CONTRACT}
    files = {table: path for table, path in stated.items() if path is not None}
    print(new_case(arguments.name, files, arguments.column, zone=arguments.zone), end="")
    print(f"Correct the guesses in params.yaml, then `sojourn check {arguments.name}`.", file=sys.stderr)
    return 0


def _freeze(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.freeze import freeze

    print(freeze(arguments.case, at=arguments.at).relative_to(root()))
    return 0


def _score(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.score import score

    score(arguments.case, at=arguments.at, out=arguments.out)
    return 0


def _cells(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.stages import cells

    cells(arguments.case, arguments.study)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.runner import run_study

    run_study(arguments.case, arguments.study)
    return 0


def _index(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.stages import index

    index(private=arguments.private)
    return 0


def _scan(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.scan import scan_reports

    print(scan_reports(private=arguments.private))
    return 0


def _check_params(_: argparse.Namespace) -> int:
    from sojourn.pipeline.declared import check_params

    check_params()
    return 0


def _reproduce(_: argparse.Namespace) -> int:
    from sojourn.pipeline.reproduce import reproduce

    return reproduce()


def _verify(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.verify import verify

    return verify(arguments.case, keep=arguments.keep)


def _lab(_: argparse.Namespace) -> int:
    from sojourn.pipeline.lab import open_lab

    return open_lab()


def _reconcile(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.reconcile import reconcile_case, template

    if arguments.template:
        print(template(), end="")
        return 0
    if arguments.case is None or arguments.kpi is None:
        raise ParameterError("State the case and the file: `sojourn reconcile CASE --kpi FILE`.")
    print(reconcile_case(arguments.case, arguments.kpi, zones=arguments.zone), end="")
    return 0


def _new_key(_: argparse.Namespace) -> int:
    from sojourn.data.pseudonyms import new_key

    print(f"key_id: {new_key()}")
    return 0


def _relink(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.relink import relink

    relink(arguments.list, arguments.case, out=arguments.out)
    return 0


def _forget(arguments: argparse.Namespace) -> int:
    from sojourn.pipeline.forget import forget

    forget(arguments.member, arguments.case, file=arguments.file, dry_run=arguments.dry_run)
    return 0


def _readme(_: argparse.Namespace) -> int:
    from sojourn.pipeline.readme import write_readme

    print(write_readme())
    return 0


def _environment(_: argparse.Namespace) -> int:
    from sojourn.pipeline.environment import environment_yml

    print(environment_yml(), end="")
    return 0
