"""Real orders that nobody here wrote: 9,994 lines of a superstore, as shipped and as imported.

`raw_lines` reads the source by itself, so that figures can be counted straight from it; `load`
imports what ``scripts/superstore_orders.py`` makes of it.
"""

import csv
import gzip
import io
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final
from zoneinfo import ZoneInfo

from portal.accounts.queries import load_operator
from portal.desk.kinds import BY_NAME
from portal.files.importing import ImportReport, Mode, run_import
from portal.files.reading import read_table

ROOT: Final = Path(__file__).parent.parent
SOURCE: Final = ROOT / "tests" / "data" / "superstore" / "superstore.csv.gz"
ACCOUNT: Final = "STORE"
LINES: Final = 9_994
TOTAL: Final = Decimal("2297201.07")
"""Every line rounded to the cent, then added up."""


def raw_lines() -> list[dict[str, str]]:
    """Return the lines as they are in the source."""
    text = gzip.decompress(SOURCE.read_bytes()).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def raw_amount(line: dict[str, str]) -> Decimal:
    """Return what a line of the source cost, to the cent."""
    return Decimal(line["Sales"]).quantize(Decimal("0.01"), ROUND_HALF_UP)


@cache
def script() -> ModuleType:
    """Return the script that turns the source into files."""
    spec = spec_from_file_location("superstore_orders", ROOT / "scripts" / "superstore_orders.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files() -> dict[str, str]:
    """Return kind -> content of each file, in the order in which they are imported."""
    made = script().files_of(script().read(SOURCE))
    return {kind: script().as_csv(rows) for kind, rows in made.items()}


def load_kind(kind: str, text: str, now: datetime, *, dry_run: bool = False) -> ImportReport:
    """Import one file as the command line does."""
    return run_import(
        BY_NAME[kind],
        read_table(text.encode(), f"{kind}.csv"),
        actor=load_operator("root", "UTC"),
        mode=Mode.REPLACE,
        now=now,
        zone=ZoneInfo("UTC"),
        dry_run=dry_run,
    )


def load(now: datetime) -> ImportReport:
    """Import everything; return the report of the orders."""
    for kind, text in files().items():
        report = load_kind(kind, text, now)
        assert report.refused == [], report.refused[:3]
    return report
