"""Price lists on the supplier's desk: checked, published, rolled back, each by who may."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.catalog.pricing.models import PriceListVersion
from portal.db import db
from portal.files.importing import Mode
from portal.policy import Role
from tests.catalog.pricing.shop import DAY, T0, Shop
from tests.instants import NOW
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.fixture
def shop(app: Flask) -> Shop:
    assert app.config["SETTINGS"]
    made = Shop()
    made.standard({"LT-1": "100", "LT-2": "50"})
    made.load(
        "price-entries",
        "list_code,sku,uom,min_qty,price\nSTD,LT-1,EA,1,120\nSTD,LT-3,EA,1,9\n",
        now=T0 + DAY,
    )
    return made


def follow(client: PortalClient, answer: TestResponse) -> TestResponse:
    assert answer.status_code == 303
    return client.get(answer.headers["Location"])


@pytest.fixture
def manager(shop: Shop, sign_in: SignIn) -> PortalClient:
    return sign_in(shop.hire("pia", Role.PRICING_MANAGER))


@pytest.fixture
def seller(shop: Shop, sign_in: SignIn) -> PortalClient:
    return sign_in(shop.hire("amy", Role.ACCOUNT_MANAGER))


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return found.group(1)


def numbers() -> list[int | None]:
    return list(db.session.scalars(select(PriceListVersion.number).order_by(PriceListVersion.id)))


def test_the_list_of_lists_shows_state_and_finds_by_name(manager: PortalClient) -> None:
    page = manager.get("/desk/price-lists").text
    none = manager.get("/desk/price-lists?q=winter").text

    assert "STD" in page
    assert "draft waiting" in page
    assert "version 1" in page
    assert "No price list matches “winter”." in none


def test_lists_with_a_draft_stand_in_a_view_of_their_own(manager: PortalClient) -> None:
    waiting = manager.get("/desk/price-lists?view=draft").text
    coming = manager.get("/desk/price-lists?view=scheduled").text

    assert 'Drafts to publish <span class="count">1</span>' in waiting
    assert 'href="/desk/price-lists/STD"' in waiting
    assert 'Scheduled <span class="count">0</span>' in coming
    assert 'href="/desk/price-lists/STD"' not in coming


def test_a_list_shows_the_draft_and_on_request_an_earlier_version(manager: PortalClient) -> None:
    draft = manager.get("/desk/price-lists/STD").text
    first = manager.get("/desk/price-lists/STD?version=1").text
    found = manager.get("/desk/price-lists/STD?q=LT-3").text

    assert "Entries of the draft" in draft
    assert "LT-3" in draft
    assert "LT-2" not in draft
    assert "Entries of version 1" in first
    assert "LT-2" in first
    assert "LT-1" not in found


def test_checking_names_what_would_change_and_writes_nothing(
    seller: PortalClient, business_rows: Rows
) -> None:
    before = business_rows()

    page = seller.get("/desk/price-lists/STD/check").text

    assert business_rows() == before
    assert "LT-2, from 1 EA" in page
    assert "+20.0 %" in page
    assert "Publishing needs the role Pricing manager." in page


def test_the_checked_draft_is_published_once(manager: PortalClient) -> None:
    page = manager.get("/desk/price-lists/STD/check").text
    sent = {"at": hidden(page, "at"), "checked": hidden(page, "checked")}

    first = follow(manager, manager.post("/desk/price-lists/STD/publish", data=sent))
    second = manager.post("/desk/price-lists/STD/publish", data=sent)

    assert "Version 2 of STD is published." in first.text
    assert second.status_code == 409
    assert "has no draft" in second.text
    assert numbers() == [1, 2]


def test_a_draft_that_changed_since_its_check_is_not_published(
    shop: Shop, manager: PortalClient
) -> None:
    page = manager.get("/desk/price-lists/STD/check").text
    rows = "list_code,sku,uom,min_qty,price\nSTD,LT-4,EA,1,4\n"
    shop.load("price-entries", rows, mode=Mode.UPDATE)

    answer = manager.post(
        "/desk/price-lists/STD/publish", data={"at": "", "checked": hidden(page, "checked")}
    )

    assert answer.status_code == 409
    assert "changed since it was checked" in answer.text
    assert numbers() == [1, None]


def test_a_version_can_be_published_for_a_later_day(manager: PortalClient) -> None:
    day = (NOW + timedelta(days=10)).date().isoformat()
    page = manager.get(f"/desk/price-lists/STD/check?at={day}").text
    manager.post(
        "/desk/price-lists/STD/publish",
        data={"at": hidden(page, "at"), "checked": hidden(page, "checked")},
    )

    version = db.session.scalars(select(PriceListVersion).where(PriceListVersion.number == 2)).one()
    assert version.in_force_from is not None
    assert version.in_force_from.date().isoformat() == day
    assert "scheduled" in manager.get("/desk/price-lists/STD").text


@pytest.mark.parametrize("day", ["2020-01-01", "soon"])
def test_a_day_that_can_not_be_is_said_at_the_field(manager: PortalClient, day: str) -> None:
    answer = manager.get(f"/desk/price-lists/STD/check?at={day}")

    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert numbers() == [1, None]


def test_rolling_back_publishes_the_earlier_version_anew(shop: Shop, manager: PortalClient) -> None:
    shop.publish("STD", now=T0 + 2 * DAY)

    answer = follow(manager, manager.post("/desk/price-lists/STD/roll-back", data={"version": "1"}))

    assert "STD is back at version 1, published as version 3." in answer.text
    assert numbers() == [1, 2, 3]
    assert manager.post("/desk/price-lists/STD/roll-back", data={"version": "x"}).status_code == 422
    assert manager.post("/desk/price-lists/STD/roll-back", data={"version": "9"}).status_code == 404


def test_an_account_manager_may_neither_publish_nor_roll_back(
    seller: PortalClient, business_rows: Rows
) -> None:
    before = business_rows()

    assert seller.post("/desk/price-lists/STD/publish", data={}).status_code == 403
    assert seller.post("/desk/price-lists/STD/roll-back", data={"version": "1"}).status_code == 403
    assert business_rows() == before


def test_an_unknown_list_is_not_found(manager: PortalClient) -> None:
    assert manager.get("/desk/price-lists/NONE").status_code == 404
    assert manager.get("/desk/price-lists/NONE/check").status_code == 404


def test_any_number_of_entries_takes_the_same_number_of_statements(
    shop: Shop, manager: PortalClient, count_statements: Callable[[], object]
) -> None:
    def total() -> int:
        with count_statements() as counted:  # type: ignore[attr-defined]
            manager.get("/desk/price-lists/STD")
        counted_total: int = counted.total
        return counted_total

    before = total()
    rows = "".join(f"STD,LT-1,EA,{n},{n}\n" for n in range(1, 200))
    shop.load("price-entries", "list_code,sku,uom,min_qty,price\n" + rows)

    assert total() == before
