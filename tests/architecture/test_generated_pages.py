"""Pages that are generated from the code's tables are those of today."""

import csv
import io

from portal.policy import matrix_rows
from tests.architecture.sources import ROOT


def test_the_permission_table_is_current() -> None:
    """`make docs` writes it."""
    shipped = (ROOT / "docs" / "permissions.csv").read_text(encoding="utf-8")
    header, *rows = csv.reader(io.StringIO(shipped))

    assert header == ["role", "permission", "scope"]
    assert [tuple(row) for row in rows] == matrix_rows()
