"""What "contains" means in every search: letters of any case, and no character with a meaning."""

import pytest
from flask import Flask
from sqlalchemy import literal, select

from portal.containing import contains
from portal.db import db


@pytest.mark.parametrize(
    ("there", "typed", "is_found"),
    [
        ("PO-2026-0042", "po-2026", True),
        ("po-2026-0042", "PO-2026", True),
        ("PO-2026-0042", "0042", True),
        ("PO-2026-0042", "PO 2026", False),
        ("100% wool", "100%", True),
        ("1000 wool", "100%", False),
        ("a_b", "A_B", True),
        ("axb", "a_b", False),
        ("50/50", "0/5", True),
        ("C:\\share", "c:\\SHARE", True),
        ("it's 5'", "'S", True),
        ("Škoda PO-7", "po-7", True),
        ("発注書12", "注書", True),
        ("발주서-7", "주서-7", True),
        ("", "a", False),
        (None, "a", False),
    ],
)
def test_a_part_is_found_whatever_its_case(
    app: Flask, there: str | None, typed: str, *, is_found: bool
) -> None:
    with app.app_context():
        assert bool(db.session.scalar(select(contains(literal(there), typed)))) is is_found


def test_postgresql_folds_letters_of_other_scripts(app: Flask) -> None:
    if app.config["SETTINGS"].is_sqlite:
        pytest.skip("SQLite folds the letters of ASCII alone")
    with app.app_context():
        assert db.session.scalar(select(contains(literal("Lübeck, Ёлка"), "LÜBECK, ё")))
