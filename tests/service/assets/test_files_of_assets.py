"""Files of assets: all or nothing, and an export imported again changes nothing."""

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from flask import current_app
from sqlalchemy import select

from portal.accounts.queries import load_operator
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.service.assets.imports import ASSETS
from portal.service.assets.models import Asset
from portal.service.assets.queries import cover_of, get_asset
from tests.service.assets.conftest import Owned, TakeIn

Rows = Callable[[], dict[str, tuple[int, str]]]


def exported() -> list[dict[str, str]]:
    settings = current_app.config["SETTINGS"]
    rows = ASSETS.export(load_operator("test", settings.time_zone), None)
    return [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows]


def test_an_export_imported_again_changes_nothing(
    take_in: TakeIn, fleet: Sequence[str], business_rows: Rows
) -> None:
    take_in(Owned("NO-COVER", until=""))
    before, rows = business_rows(), exported()

    report = take_in(*rows)

    assert report.refused == []
    assert (report.new, report.changed, report.unchanged) == (0, 0, len(fleet) + 1)
    assert business_rows() == before
    assert exported() == rows


def test_the_last_day_of_an_entitlement_is_included_and_exported_as_that_day(
    cast: Cast, take_in: TakeIn
) -> None:
    take_in(Owned("DAY", until="2026-12-31"), Owned("INSTANT", until="2027-01-01T00:00:00Z"))

    for tag in ("DAY", "INSTANT"):
        asset = get_asset(cast.acme.viewer, tag)
        assert cover_of(asset, date(2026, 12, 31)).is_covered
        assert not cover_of(asset, date(2027, 1, 1)).is_covered
    assert {row["entitlement_until"] for row in exported()} == {"2026-12-31"}


def test_without_the_column_the_warranty_of_the_product_holds_and_an_empty_cell_is_none(
    cast: Cast, take_in: TakeIn
) -> None:
    take_in(Owned("USUAL", until=None, delivered_on="2026-01-31"))
    take_in(Owned("NONE", until=""))

    usual, none = (get_asset(cast.acme.viewer, tag) for tag in ("USUAL", "NONE"))
    assert [item.valid_until for item in usual.entitlements] == [date(2028, 1, 30)]
    assert none.entitlements == []


def test_a_missing_column_leaves_what_is_there(cast: Cast, take_in: TakeIn) -> None:
    take_in(Owned("T1", person="shopper@acme.example", until="2026-12-31"))
    report = take_in(
        {"account_code": "ACME", "service_tag": "t1", "entitlement_until": "2027-06-30"}
    )

    asset = get_asset(cast.acme.viewer, "T1")
    assert (report.changed, report.new) == (1, 0)
    assert asset.membership is not None
    assert asset.membership.person.email == "shopper@acme.example"
    assert [item.valid_until for item in asset.entitlements] == [date(2027, 6, 30)]
    assert asset.version == 2


def test_a_corrected_day_of_delivery_moves_the_warranty_that_began_with_it(
    cast: Cast, take_in: TakeIn
) -> None:
    take_in(Owned("T1", delivered_on="2025-01-15"))
    take_in({"account_code": "ACME", "service_tag": "T1", "delivered_on": "2025-02-01"})

    asset = get_asset(cast.acme.viewer, "T1")
    assert asset.delivered_on == asset.entitlements[0].valid_from == date(2025, 2, 1)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (Owned("BAD/TAG"), "service_tag", "A service tag has letters"),
        (Owned("X", sku="NOPE-1"), "sku", "no product"),
        (Owned("X", account="NOBODY"), "account_code", "no account"),
        (Owned("X", unit="MOON"), "unit_code", "no unit"),
        (Owned("X", person="who@acme.example"), "person_email", "Nobody"),
        (Owned("X", until="2020-01-01"), "entitlement_until", "before it begins"),
        (Owned("X", delivered_on="soon"), "delivered_on", "date"),
        (Owned("X", delivered_on=""), "delivered_on", "empty"),
        (Owned("it-buy"), "service_tag", "already names"),
    ],
)
def test_one_bad_row_refuses_the_file_and_names_its_cell(
    take_in: TakeIn, fleet: Sequence[str], business_rows: Rows, row: Owned, column: str, reason: str
) -> None:
    assert fleet
    before = business_rows()

    report = take_in(Owned("GOOD"), Owned("IT-BUY", until="2028-01-01"), row)

    assert [(item.row, item.column) for item in report.refused] == [(4, column)]
    assert reason in report.refused[0].reason
    assert business_rows() == before


def test_an_empty_cell_does_not_take_an_entitlement_away(
    take_in: TakeIn, fleet: Sequence[str]
) -> None:
    assert fleet
    report = take_in({"account_code": "ACME", "service_tag": "IT-BUY", "entitlement_until": ""})

    assert "give the day" in report.refused[0].reason


def test_a_dry_run_says_the_same_and_writes_nothing(take_in: TakeIn, business_rows: Rows) -> None:
    before = business_rows()

    report = take_in(Owned("T1"), Owned("T2"), dry_run=True)

    assert (report.new, report.refused) == (2, [])
    assert business_rows() == before


def test_two_accounts_may_have_the_same_tag_and_one_account_may_not(
    take_in: TakeIn, cast: Cast
) -> None:
    report = take_in(Owned("SAME"), Owned("SAME", account="HANBIT"))

    assert report.refused == []
    assert get_asset(cast.acme.viewer, "SAME").account.code == "ACME"
    assert get_asset(cast.hanbit.viewer, "SAME").account.code == "HANBIT"


def test_only_who_entitles_units_imports_them(cast: Cast, take_in: TakeIn) -> None:
    with pytest.raises(NotAllowedError):
        take_in(Owned("T1"), actor=cast.acme.admin)
    assert take_in(Owned("T1"), actor=cast.supplier.service_agent).new == 1
    assert db.session.scalars(select(Asset.service_tag)).all() == ["T1"]
