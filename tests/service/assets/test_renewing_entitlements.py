"""Renewals: chosen units become a quote, and its delivery extends exactly them."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.quotes import actions as quotes
from portal.quotes.models import Quote
from portal.service.assets.actions import move_by_tag
from portal.service.assets.models import AssetRenewal
from portal.service.assets.queries import AssetNotFoundError, cover_of, find_renewals, get_asset
from portal.service.assets.renewing import (
    NoRenewalError,
    NothingToRenewError,
    RenewalOpenError,
    RetiredError,
    renew,
)
from portal.service.assets.rules import Covered, EntitlementKind, Move
from tests.service.assets.conftest import Deliver

Rows = Callable[[], dict[str, tuple[int, str]]]


def quotes_made() -> int:
    return db.session.scalar(select(func.count()).select_from(Quote)) or 0


def test_a_delivered_renewal_extends_the_units_it_was_quoted_for(
    cast: Cast, now: datetime, fleet: Sequence[str], order: Deliver, deliver: Deliver
) -> None:
    buyer = cast.acme.buyer
    assert fleet
    quote = renew(buyer, {"IT-SHOP": "SV-0001", "it-buy": "SV-0001"}, key="k", title="R", now=now)
    assert [(line.sku, line.quantity) for line in quote.current.lines] == [("SV-0001", Decimal(2))]
    assert quote.current.lines[0].note == "IT-BUY, IT-SHOP"
    placed = order(quote.number)
    assert cover_of(get_asset(buyer, "IT-SHOP"), now.date()).until == date(2027, 1, 14)

    deliver(placed.number, 1, part="1")
    once = [get_asset(buyer, tag) for tag in ("IT-SHOP", "IT-BUY")]
    assert [len(asset.entitlements) for asset in once].count(2) == 1
    deliver(placed.number, 1, part="2")

    shop, buy = get_asset(buyer, "IT-SHOP"), get_asset(buyer, "IT-BUY")
    assert cover_of(shop, now.date()).until == date(2028, 1, 14)
    assert cover_of(buy, now.date()).until == date(2027, 12, 20)
    added = shop.entitlements[-1]
    assert (added.kind, added.valid_from) == (EntitlementKind.CONTRACT, date(2027, 1, 15))
    assert added.covered == (Covered.PARTS, Covered.LABOUR)
    assert len(get_asset(buyer, "IT-OLD").entitlements) == 1
    assert all(item.extended_at for item in find_renewals([shop.id])[shop.id])


def test_what_has_ended_is_covered_from_the_day_of_delivery(
    cast: Cast, now: datetime, fleet: Sequence[str], order: Deliver, deliver: Deliver
) -> None:
    assert fleet
    quote = renew(cast.acme.buyer, {"IT-OLD": "SV-0004"}, key="k", title="R", now=now)
    placed = order(quote.number)
    deliver(placed.number, 1)

    added = get_asset(cast.acme.buyer, "IT-OLD").entitlements[-1]
    assert (added.valid_from, added.valid_until) == (date(2026, 11, 24), date(2027, 11, 23))
    assert Covered.ADVANCE_EXCHANGE in added.covered


def test_the_same_form_sent_twice_makes_one_quote(
    cast: Cast, now: datetime, fleet: Sequence[str]
) -> None:
    assert fleet
    before = quotes_made()
    first = renew(cast.acme.buyer, {"IT-BUY": "SV-0001"}, key="form", title="R", now=now)
    second = renew(cast.acme.buyer, {"IT-BUY": "SV-0001"}, key="form", title="R", now=now)

    assert first.number == second.number
    assert quotes_made() == before + 1
    assert db.session.scalar(select(func.count()).select_from(AssetRenewal)) == 1


def test_a_unit_is_renewed_once_at_a_time_and_again_when_the_quote_is_given_up(
    cast: Cast, now: datetime, fleet: Sequence[str], business_rows: Rows
) -> None:
    assert fleet
    buyer = cast.acme.buyer
    first = renew(buyer, {"IT-BUY": "SV-0001"}, key="1", title="R", now=now)
    before = business_rows()
    with pytest.raises(RenewalOpenError, match=f"quote {first.number} already"):
        renew(buyer, {"IT-SHOP": "SV-0001", "IT-BUY": "SV-0001"}, key="2", title="R", now=now)
    assert business_rows() == before

    quotes.discard_quote(buyer, first.number, now)
    second = renew(buyer, {"IT-BUY": "SV-0002"}, key="3", title="R", now=now)
    assert second.current.lines[0].sku == "SV-0002"


@pytest.mark.parametrize(
    ("chosen", "refusal", "words"),
    [
        ({}, NothingToRenewError, "at least one"),
        ({"IT-BUY": "SV-0003"}, NoRenewalError, "IT-BUY"),
        ({"IT-BUY": "LT-0001"}, NoRenewalError, "IT-BUY"),
        ({"SEOUL-1": "SV-0001"}, AssetNotFoundError, "SEOUL-1"),
        ({"NOBODY": "SV-0001"}, AssetNotFoundError, "NOBODY"),
    ],
)
@pytest.mark.usefixtures("fleet")
def test_what_can_not_be_renewed_is_refused_and_nothing_is_made(
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    chosen: dict[str, str],
    refusal: type[Exception],
    words: str,
) -> None:
    before = business_rows()

    with pytest.raises(refusal, match=words):
        renew(cast.acme.buyer, chosen, key="k", title="R", now=now)

    assert business_rows() == before


def test_what_is_out_of_use_is_not_renewed(cast: Cast, now: datetime, fleet: Sequence[str]) -> None:
    assert fleet
    move_by_tag(cast.acme.service_contact, "IT-BUY", Move.RETIRE, now=now)

    with pytest.raises(RetiredError, match="retired"):
        renew(cast.acme.buyer, {"IT-BUY": "SV-0001"}, key="k", title="R", now=now)


def test_who_makes_no_quotes_makes_no_renewals(
    cast: Cast, now: datetime, fleet: Sequence[str]
) -> None:
    assert fleet
    for actor in (cast.acme.viewer, cast.acme.service_contact, cast.supplier.service_agent):
        with pytest.raises(NotAllowedError):
            renew(actor, {"IT-BUY": "SV-0001"}, key="k", title="R", now=now)
