"""One page of a quote in each state: how often the database is asked, by few lines and by many."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import func, select, update

from portal.accounts.models import Address, CostCentre
from portal.accounts.queries import get_account_with_units
from portal.accounts.rules import ancestors
from portal.approvals.actions import decide
from portal.approvals.models import ApprovalRun
from portal.approvals.population import load_judges
from portal.approvals.rules import Answer
from portal.catalog.models import Product
from portal.catalog.pricing.chains import Period, load_lists
from portal.catalog.pricing.charges import Destination, load_charges
from portal.catalog.pricing.models import PriceEntry
from portal.catalog.queries import visible_products
from portal.catalog.stock.models import StockLevel
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.orders.actions import Terms, order_quote
from portal.quotes import actions
from portal.quotes.history import find_history
from portal.quotes.models import Quote, QuoteLine
from portal.quotes.places import places_of
from portal.quotes.surroundings import find_surroundings
from tests.stage import Counted, PortalClient

Count = Callable[[], AbstractContextManager[Counted]]
SignIn = Callable[..., PortalClient]
Asked = Callable[[int], dict[str, dict[str, int]]]
MOST = {"draft": 7, "in approval": 6, "approved": 7, "partly ordered": 7, "revised": 9}
"""Who signed in and the frame included. Lower them when a page needs fewer; none may need more."""
FEW, MANY = 2, 50
CHEAP = ("AC", "CL", "CP", "FN", "HS", "KB", "MM", "MS", "NW", "OS", "PS", "SD", "TP", "WC", "XS")
"""Families of products of which a line each needs no more approvals than the first line does."""
READERS = {
    "buyer": "buyer@acme.example",
    "approver": "approver@acme.example",
    "account manager": "manager@northwind.example",
}


@pytest.fixture
def _in_office_hours(now: datetime) -> Iterator[None]:
    with time_machine.travel(now + timedelta(hours=1)):
        yield


@pytest.fixture
def asked(cast: Cast, now: datetime, sign_in: SignIn, count_statements: Count) -> Asked:
    readers = {
        name: sign_in(email, *(["ACME - IT"] if name == "buyer" else []))
        for name, email in READERS.items()
    }

    def go(lines: int) -> dict[str, dict[str, int]]:
        cheap = visible_products(cast.acme.buyer).where(func.substr(Product.sku, 1, 2).in_(CHEAP))
        items = [("LT-0001", Decimal(3), None)] + [
            (item.sku, item.quantity_multiple or item.min_quantity or Decimal(1), None)
            for item in db.session.scalars(cheap.order_by(Product.sku).limit(lines - 1))
        ]
        number = actions.create_quote(cast.acme.buyer, now).number
        quote = actions.add_lines(cast.acme.buyer, number, items, now)
        found: dict[str, dict[str, int]] = {}
        for state in _states(cast, quote, now):
            found[state] = {}
            for name, reader in readers.items():
                with count_statements() as counted:
                    answer = reader.get(f"/quotes/{number}")
                assert answer.status_code == 200, (state, name, answer.text)
                assert answer.text.count('<tr id="line-') == lines
                found[state][name] = counted.total
        return found

    return go


def _states(cast: Cast, quote: Quote, now: datetime) -> Iterator[str]:
    """Take a quote from state to state; each is named when it is reached."""
    buyer, number = cast.acme.buyer, quote.number
    yield "draft"
    actions.submit_quote(buyer, number, quote.version, {}, now)
    yield "in approval"
    run = db.session.scalars(select(ApprovalRun).where(ApprovalRun.number == number)).one()
    decide(cast.acme.approver, run.id, Answer.APPROVE, "", run.content_hash, now)
    yield "approved"
    terms = Terms(purchase_order_number=f"PO-{number}")
    order_quote(buyer, number, {1: Decimal(1)}, terms, key=number, now=now)
    yield "partly ordered"
    actions.revise_quote(buyer, number, now)
    yield "revised"


@pytest.mark.usefixtures("_in_office_hours")
def test_a_page_asks_as_often_for_many_lines_as_for_few(asked: Asked) -> None:
    few, many = asked(FEW), asked(MANY)

    assert many == few
    for state, counts in few.items():
        assert {name: counts[name] for name in counts if counts[name] > MOST[state]} == {}, state


@pytest.mark.usefixtures("_in_office_hours")
def test_what_somebody_else_changed_is_on_the_next_page(
    cast: Cast, now: datetime, sign_in: SignIn
) -> None:
    quote = actions.add_lines(cast.acme.buyer, None, [("MS-0002", Decimal(3), None)], now)
    path, revision_id = f"/quotes/{quote.number}", quote.current.id
    product_id = quote.current.lines[0].product_id
    buyer = sign_in("buyer@acme.example", "ACME - IT")

    for change in (
        update(QuoteLine).where(QuoteLine.revision_id == revision_id).values(note="Fourth floor"),
        update(CostCentre).values(name="Another name"),
        update(Address).values(city="Elsewhere"),
        update(PriceEntry).values(value=PriceEntry.value + 1),
        update(StockLevel)
        .where(StockLevel.product_id == product_id)
        .values(on_hand=Decimal(987_654)),
        update(Product)
        .where(Product.id == product_id)
        .values(successor_sku="MS-0009", status="eol"),
    ):
        before = _lines_of(buyer.get(path).text)
        with transaction():
            db.session.execute(change)
        assert _lines_of(buyer.get(path).text) != before, change


def _lines_of(page: str) -> str:
    """Return the table of the lines, in which no token stands."""
    return page[page.index('<tr id="line-') : page.index("</table>", page.index('<tr id="line-'))]


def test_what_surrounds_a_draft_is_what_each_part_of_it_says_alone(
    cast: Cast, now: datetime
) -> None:
    quote = actions.add_lines(cast.acme.buyer, None, [("MS-0002", Decimal(3), None)], now)
    account, units = get_account_with_units(quote.account_id)

    found = find_surroundings(quote, account, units, now)

    assert found.places == places_of(account, units)
    assert list(found.places.addresses) == list(places_of(account, units).addresses)
    assert list(found.places.cost_centres) == list(places_of(account, units).cost_centres)
    assert found.judges == load_judges(account.id, quote.unit_id, now)
    assert found.history == find_history(account.id, quote.id)
    path = ancestors(quote.unit_id, units)
    lists = load_lists(account.id, quote.currency, path, Period(now, now))
    assert found.lists.chain(path, now) == lists.chain(path, now)
    assert len(lists.chain(path, now)) > 1
    categories = set(db.session.scalars(select(Product.tax_category))) - {None}
    places = {Destination(each.country, each.region) for each in found.places.addresses.values()}
    places.add(Destination(account.country, None))
    charges = load_charges(places, quote.currency, [each or "" for each in categories], now)
    for place in places:
        for category in categories:
            rate = found.charges.tax_rate(place, category or "")
            assert rate == charges.tax_rate(place, category or "")
        for net in map(Decimal, ("0", "0.01", "99.99", "100", "500", "1000", "100000")):
            freight = found.charges.freight(place.country, net)
            assert freight == charges.freight(place.country, net)
    assert charges.rates and charges.steps  # noqa: PT018 - neither comparison was of nothing
