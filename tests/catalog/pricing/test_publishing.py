"""Publishing: reviewed, at once or later, refused when it contradicts itself, and undone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from portal.catalog.pricing.actions import (
    NoDraftError,
    OverlappingEntriesError,
    PastInstantError,
    publish_list,
    rollback_list,
)
from portal.catalog.pricing.asking import answer_lines, read_line
from portal.catalog.pricing.impact import count_open_quotes_with
from portal.catalog.pricing.lists import PriceListNotFoundError, VersionNotFoundError
from portal.catalog.pricing.models import PriceListVersion
from portal.db import db
from portal.errors import NotAllowedError
from portal.events.models import Event
from portal.files.importing import Mode
from portal.policy import Actor, Permission, Scope
from tests.catalog.pricing.shop import DAY, T0, ZONE, Shop
from tests.stage import Counted

Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.fixture
def shop(app: Flask) -> Shop:
    assert app.config["SETTINGS"]
    made = Shop()
    made.standard({"LT-1": "100", "LT-2": "50"})
    return made


def price(sku: str = "LT-1", at: datetime = T0) -> str | None:
    asked = {"account": "ACME", "sku": sku, "at": at.isoformat()}
    answer = answer_lines([read_line(asked, now=T0, zone=ZONE)])[0]
    unit_price: str | None = answer["unit_price"]
    return unit_price


def change(shop: Shop, value: str, *, now: datetime = T0) -> None:
    rows = f"list_code,sku,uom,min_qty,price\nSTD,LT-1,EA,1,{value}\n"
    shop.load("price-entries", rows, mode=Mode.UPDATE, now=now)


def test_a_draft_changes_no_price_and_publishing_is_visible_at_once(shop: Shop) -> None:
    change(shop, "110")
    before = price(at=T0 + DAY)
    publication = publish_list(shop.actor, "STD", now=T0 + DAY)

    assert before == "100.0000"
    assert price(at=T0 + DAY) == "110.0000"
    assert price(at=T0) == "100.0000"
    assert (publication.number, publication.diff.unchanged) == (2, 1)
    verbs = db.session.scalars(select(Event.verb).order_by(Event.sequence)).all()
    assert verbs[-1] == "price-list.published"


def test_a_dry_run_shows_diff_and_impact_and_writes_nothing(
    shop: Shop, business_rows: Rows
) -> None:
    change(shop, "130")
    count_open_quotes_with(lambda codes: len(codes) * 7)
    before = business_rows()

    publication = publish_list(shop.actor, "STD", now=T0 + DAY, dry_run=True)

    assert business_rows() == before
    assert publication.is_dry_run
    changed = [(c.before.value, c.after.value) for c in publication.diff.changed]
    assert changed == [(Decimal(100), Decimal(130))]
    assert publication.impact.account_codes == ("ACME",)
    assert publication.impact.open_quotes == 7
    assert [mover.percent for mover in publication.impact.movers] == [Decimal(30)]


def test_a_future_version_waits_for_its_instant(shop: Shop) -> None:
    change(shop, "110")
    publish_list(shop.actor, "STD", now=T0, at=T0 + 5 * DAY)

    assert price(at=T0 + 4 * DAY) == "100.0000"
    assert price(at=T0 + 5 * DAY) == "110.0000"


def test_only_a_first_version_may_begin_in_the_past(shop: Shop) -> None:
    shop.load("price-lists", "list_code,currency,kind\nL,EUR,list\n")
    change(shop, "110")

    publish_list(shop.actor, "L", now=T0, at=T0 - 100 * DAY)
    with pytest.raises(PastInstantError, match="STD already has a version"):
        publish_list(shop.actor, "STD", now=T0, at=T0 - DAY)

    assert price() == "100.0000"


@pytest.mark.parametrize("dry_run", [True, False])
def test_contradicting_entries_can_not_be_published(shop: Shop, *, dry_run: bool) -> None:
    rows = "STD,LT-1,EA,1,1,\nSTD,LT-1,EA,1,2,2026-06-01\n"
    shop.load("price-entries", "list_code,sku,uom,min_qty,price,valid_from\n" + rows)

    with pytest.raises(OverlappingEntriesError, match=r"These overlap another one: LT-1 EA ≥ 1\."):
        publish_list(shop.actor, "STD", now=T0, dry_run=dry_run)

    numbers = db.session.scalars(select(PriceListVersion.number)).all()
    assert sorted(numbers, key=lambda n: n or 0) == [None, 1]


def test_the_same_entry_twice_can_be_drafted_and_not_published(shop: Shop) -> None:
    rows = "list_code,sku,uom,min_qty,price\nSTD,LT-1,EA,1,1\nSTD,LT-1,EA,1,2\n"
    assert shop.load("price-entries", rows).refused == []

    with pytest.raises(OverlappingEntriesError):
        publish_list(shop.actor, "STD", now=T0)


def test_without_a_draft_there_is_nothing_to_publish(shop: Shop) -> None:
    with pytest.raises(NoDraftError, match="STD has no draft"):
        publish_list(shop.actor, "STD", now=T0)
    with pytest.raises(PriceListNotFoundError, match="no price list “NONE”"):
        publish_list(shop.actor, "NONE", now=T0)


def test_a_rollback_publishes_an_earlier_version_anew_and_keeps_the_draft(shop: Shop) -> None:
    change(shop, "110")
    shop.publish("STD", now=T0 + DAY)
    change(shop, "999", now=T0 + DAY)

    publication = rollback_list(shop.actor, "STD", to=1, now=T0 + 2 * DAY)

    assert publication.number == 3
    assert [price(at=T0 + n * DAY) for n in range(3)] == ["100.0000", "110.0000", "100.0000"]
    shop.publish("STD", now=T0 + 3 * DAY)
    assert price(at=T0 + 3 * DAY) == "999.0000"
    with pytest.raises(VersionNotFoundError, match="STD has no version 9"):
        rollback_list(shop.actor, "STD", to=9, now=T0)


def test_the_account_manager_is_warned_of_prices_above_list_and_below_the_floor(shop: Shop) -> None:
    shop.load("price-lists", "list_code,currency,kind\nAG,EUR,agreement\n")
    shop.load("costs", "sku,currency,cost,floor_price\nLT-1,EUR,60,80\n")
    shop.load(
        "price-entries",
        "list_code,sku,uom,min_qty,price,percent_off\n"
        "AG,LT-1,EA,1,,10\nAG,LT-1,EA,10,,25\nAG,LT-2,EA,1,51,\nAG,LT-2,EA,5,50,\n",
    )

    impact = publish_list(shop.actor, "AG", now=T0, dry_run=True).impact

    assert [(b.sku, b.unit_price, b.bound) for b in impact.above_list] == [
        ("LT-2", Decimal(51), Decimal(50))
    ]
    assert [(b.sku, b.unit_price, b.bound) for b in impact.below_floor] == [
        ("LT-1", Decimal(75), Decimal(80))
    ]


def test_a_floor_in_another_unit_of_measure_is_converted(shop: Shop) -> None:
    """A box of ten pieces is held against ten times the floor of a piece, and the other way."""
    shop.load("price-lists", "list_code,currency,kind\nAG,EUR,agreement\nUS,USD,agreement\n")
    shop.load("costs", "sku,currency,uom,cost,floor_price\nLT-5,EUR,EA,60,80\nLT-5,USD,BX,9,200\n")
    shop.load(
        "price-entries",
        "list_code,sku,uom,min_qty,price\nAG,LT-5,BX,1,799\nAG,LT-5,BX,5,800\n"
        "AG,LT-5,PAL,1,1\nUS,LT-5,EA,1,19\nUS,LT-5,EA,5,20\n",
    )

    below = [
        (breach.entry.uom, breach.unit_price, breach.bound)
        for code in ("AG", "US")
        for breach in publish_list(shop.actor, code, now=T0, dry_run=True).impact.below_floor
    ]

    assert below == [("BX", Decimal(799), Decimal(800)), ("EA", Decimal(19), Decimal(20))]


def test_who_may_draft_may_check_and_not_publish(shop: Shop, business_rows: Rows) -> None:
    change(shop, "110")
    drafter = Actor(
        person_id=None,
        membership_id=None,
        account_id=shop.actor.account_id,
        account_code="SUP",
        is_supplier=True,
        currency="EUR",
        locale="en",
        time_zone="UTC",
        grants={Permission.PRICE_LIST_DRAFT: Scope.ALL, Permission.PRICE_LIST_READ: Scope.ALL},
    )
    before = business_rows()

    assert publish_list(drafter, "STD", now=T0, dry_run=True).number == 2
    with pytest.raises(NotAllowedError):
        publish_list(drafter, "STD", now=T0)
    with pytest.raises(NotAllowedError):
        rollback_list(drafter, "STD", to=1, now=T0)

    assert business_rows() == before


def test_an_entry_of_a_category_counts_for_each_product_that_it_decides(shop: Shop) -> None:
    shop.load("price-lists", "list_code,currency,kind\nAG,EUR,agreement\n")
    shop.load(
        "costs",
        "sku,currency,cost,floor_price\nLT-1,EUR,60,80\nLT-2,EUR,10,20\nLT-3,EUR,1,2\n",
    )
    shop.load(
        "price-entries",
        "list_code,sku,category_path,uom,min_qty,price,percent_off\n"
        "AG,,Hardware,EA,1,,90\n"  # beaten by the deeper category
        "AG,,Hardware/Laptops,EA,1,60,\n"  # above the list price of LT-2, below the floor of LT-1
        "AG,,Hardware/Laptops,EA,10,,5\n"
        "AG,LT-1,,EA,10,79,\n",  # decides LT-1 from 10 on, below its floor
    )

    impact = publish_list(shop.actor, "AG", now=T0, dry_run=True).impact

    assert [(b.sku, b.entry.category_path, b.unit_price) for b in impact.above_list] == [
        ("LT-2", "Hardware/Laptops", Decimal(60))
    ]
    assert [(b.sku, b.entry.category_path, b.unit_price) for b in impact.below_floor] == [
        ("LT-1", "Hardware/Laptops", Decimal(60)),
        ("LT-1", None, Decimal(79)),
    ]


def test_the_impact_of_many_entries_takes_few_statements(
    shop: Shop, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    def statements(entries: str) -> int:
        shop.load("price-entries", f"list_code,sku,category_path,uom,percent_off\n{entries}")
        with count_statements() as counted:
            publish_list(shop.actor, "AG", now=T0, dry_run=True)
        return counted.total

    shop.load("price-lists", "list_code,currency,kind\nAG,EUR,agreement\n")

    few = statements("AG,LT-1,,EA,10\nAG,,Hardware,EA,5\n")
    many = statements(
        "".join(f"AG,LT-{number},,EA,10\n" for number in range(1, 6))
        + "AG,,Hardware,EA,5\nAG,,Hardware/Laptops,EA,6\n"
    )

    assert many == few
