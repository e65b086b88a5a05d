"""What is typed after `portal`: one line where it is refused, the exit code, JSON as promised."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Content, Database, Kind, Shelf

ROOT = Path(__file__).parents[2]
DRIVER = """
import contextlib, io, json, sys
from portal.cli import main
for typed in json.load(sys.stdin):
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["portal", *typed]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""
"""Types many commands in one process: starting Python takes longer than any of them."""
QUOTE = (
    "reference,account_code,unit_code,person_email,sku,quantity\n"
    "R-1,ACME,IT,buyer@acme.example,KB-0001,3\n"
)
STOCK = "location_code,sku,quantity\nBERLIN,KB-0001,4\n"
BATCH = b"""{"account": "ACME", "sku": "KB-0001", "quantity": "2"}
{"account": "ACME", "sku": "NOPE"}
\xff\xfe
{"account": "HANBIT", "sku": "KB-0001", "quantity": 1e999, "at": null}
"""
POLICY = '{"account_code": "ACME", "rules": [{"number": 1}]'
FILES = {"quotes.csv": QUOTE, "stock.csv": STOCK, "bad.csv": STOCK + "BERLIN,NOPE,-1\n"}


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> Any:  # noqa: ANN401 - any JSON
        """The JSON that it printed."""
        return json.loads(self.out)


class Terminal:
    """A folder with files and a database, in which commands are typed."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        for name, text in FILES.items():
            (folder / name).write_text(text)
        (folder / "batch.jsonl").write_bytes(BATCH)
        (folder / "policy.json").write_text(POLICY)

    def type(self, *lines: str) -> list[Answer]:
        """Type commands one after the other."""
        done = subprocess.run(
            [sys.executable, "-c", DRIVER],
            input=json.dumps([line.split() for line in lines]),
            capture_output=True,
            check=True,
            text=True,
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), **self.database.environ},
        )
        return [Answer(*json.loads(line)) for line in done.stdout.splitlines()]


@pytest.fixture
def terminal(shelf: Shelf, tmp_path: Path) -> Iterator[Terminal]:
    database = shelf.copy(Kind.SQLITE, Content.SMALL)
    try:
        yield Terminal(database, tmp_path)
    finally:
        shelf.drop(database)


def test_what_is_wrongly_typed_or_refused_is_one_line_and_never_a_traceback(
    terminal: Terminal,
) -> None:
    wrong = {
        "": 2,
        "audit": 2,
        "nonsense": 2,
        "db downgrade nonsense": 2,
        "permissions": 2,
        "serve --port abc": 2,
        "import nonsense stock.csv": 2,
        "import stock missing.csv": 2,
        "import stock stock.csv --mode nonsense": 2,
        "export stock -o /no/such/folder/x.csv": 2,
        "price ACME": 2,
        "price --batch missing.jsonl": 2,
        "price ACME KB-0001 --batch batch.jsonl": 2,
        "prices rollback STD-EUR": 2,
        "price ACME NOPE": 1,
        "price NOPE KB-0001": 1,
        "price ACME KB-0001 --quantity 1e999": 1,
        "price ACME KB-0001 --quantity NaN": 1,
        "price ACME KB-0001 --at yesterday": 1,
        "price ACME KB-0001 --unit NOPE": 1,
        "prices publish NOPE": 1,
        "prices rollback STD-EUR --to 99": 1,
        "export people --account NOPE": 1,
        "import stock batch.jsonl --json": 1,
        "route Q-999999": 1,
        "people invite nobody@acme.example": 1,
        "audit verify --anchor 0": 1,
        "demo load": 1,
    }

    answers = dict(zip(wrong, terminal.type(*wrong), strict=True))

    assert {line: answer.code for line, answer in answers.items()} == wrong
    for line, answer in answers.items():
        assert answer.out == "", line
        assert answer.err.startswith("portal: "), line
        assert answer.err.count("\n") == 1, (line, answer.err)


def test_a_file_is_checked_imported_and_exported_as_the_same_columns(terminal: Terminal) -> None:
    bad, dry, done, out, again, quotes, route, policy = terminal.type(
        "import stock bad.csv --json",
        "import stock stock.csv --dry-run --json",
        "import stock stock.csv --json",
        "export stock -o out.csv",
        "import stock out.csv --json",
        "import quotes quotes.csv --json",
        "route Q-000001 --json",
        "import policy policy.json --json",
    )

    assert (bad.code, dry.code, done.code, out.code, again.code) == (1, 0, 0, 0, 0)
    assert [(row["row"], row["column"], row["value"]) for row in bad.said["refused"]] == [
        (3, "quantity", "-1")
    ]
    assert dry.said == done.said, "what a dry run says is what happens"
    assert done.said["new"] + done.said["changed"] == 1
    assert (again.said["new"], again.said["changed"], again.said["removed"]) == (0, 0, 0)
    assert [made["reference"] for made in quotes.said["made"]] == ["R-1"], quotes
    assert route.said["quote"] == quotes.said["made"][0]["number"] == "Q-000001"
    assert set(route.said) >= {
        "quote", "revision", "total", "currency", "outcome", "steps", "missing", "next_threshold",
    }  # fmt: skip
    assert (policy.code, len(policy.said["refused"])) == (1, 1)


def test_prices_are_answered_line_by_line(terminal: Terminal) -> None:
    one, batch = terminal.type(
        "price ACME KB-0001 --quantity 2 --json", "price --batch batch.jsonl"
    )

    assert (one.code, batch.code) == (0, 0)
    assert list(one.said)[:10] == [
        "account", "unit", "sku", "quantity", "uom", "at",
        "currency", "found", "unit_price", "line_total",
    ]  # fmt: skip
    first, *rest = (json.loads(line) for line in batch.out.splitlines())
    assert first | {"at": ""} == one.said | {"at": ""}
    assert [set(line) for line in rest] == [{"error"}] * 3


def test_the_record_holds_and_the_matrix_is_a_table(terminal: Terminal) -> None:
    record, matrix = terminal.type("audit verify", "permissions --matrix")
    head = record.out.splitlines()[0].split(": ")[1]

    [known] = terminal.type(f"audit verify --anchor {head}")

    assert (record.code, known.code) == (0, 0)
    header, *rows = matrix.out.splitlines()
    assert header == "role,permission,scope"
    assert len(rows) == len(set(rows)) > 100
