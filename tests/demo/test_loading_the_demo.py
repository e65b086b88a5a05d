"""The demo, made by calling the actions, and the small world that other tests stand on."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from portal.accounts.models import Account, Person
from portal.accounts.passwords import verify_password
from portal.approvals.models import ApprovalRun, ApprovalStep
from portal.approvals.rules import RunState
from portal.catalog.models import Product
from portal.catalog.pricing.models import PriceList
from portal.catalog.pricing.queries import PriceQuestion, buyer_of, resolve_prices
from portal.db import db
from portal.demo.cast import PASSWORD, Cast
from portal.demo.story import NotEmptyError, load_demo, load_small, summarise
from portal.orders.models import Order
from portal.orders.rules import OrderStatus
from portal.quotes.models import Quote
from portal.quotes.rules import QuoteStatus

Rows = Callable[[], dict[str, tuple[int, str]]]


@pytest.mark.usefixtures("demo")
def test_the_demo_has_two_customers_with_their_own_currency_locale_and_time_zone() -> None:
    found = db.session.execute(
        select(Account.code, Account.currency, Account.locale, Account.time_zone)
        .where(Account.kind == "customer")
        .order_by(Account.code)
    )

    assert [tuple(row) for row in found] == [
        ("ACME", "EUR", "en", "Europe/Berlin"),
        ("HANBIT", "KRW", "ko", "Asia/Seoul"),
    ]


@pytest.mark.usefixtures("demo")
def test_the_demo_has_more_than_six_hundred_products_with_a_price_for_both(
    cast: Cast, now: datetime
) -> None:
    products = db.session.scalars(select(Product)).all()
    assert len(products) >= 600

    for actor in (cast.acme.buyer, cast.hanbit.buyer):
        questions = [
            PriceQuestion(product, product.min_quantity or Decimal(1)) for product in products
        ]
        answers = resolve_prices(buyer_of(actor), questions, now)
        assert [item for item in answers if not item.found] == []


@pytest.mark.usefixtures("demo")
def test_the_story_leaves_quotes_and_orders_in_many_states() -> None:
    quotes = dict(
        db.session.execute(select(Quote.status, func.count()).group_by(Quote.status)).all()
    )
    orders = dict(
        db.session.execute(select(Order.status, func.count()).group_by(Order.status)).all()
    )

    told = {
        "draft": 4,
        "in approval": 3,
        "approved": 1,
        "partly ordered": 1,
        "ordered": 2,
        "changes requested": 1,
    }
    assert {state: quotes[QuoteStatus(state)] >= count for state, count in told.items()} == (
        dict.fromkeys(told, True)
    )
    assert orders[OrderStatus.PLACED] >= 1
    assert orders[OrderStatus.CONFIRMED] >= 1


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("is_above", [False, True])
def test_a_quote_above_ten_thousand_needs_two_levels_and_one_below_needs_one(
    cast: Cast, *, is_above: bool
) -> None:
    levels = db.session.scalars(
        select(func.count(ApprovalStep.level.distinct()))
        .join(ApprovalRun, ApprovalRun.id == ApprovalStep.run_id)
        .where(
            ApprovalRun.account_id == cast.acme.account_id,
            ApprovalRun.state == RunState.OPEN.value,
            ApprovalRun.total > (10_000 if is_above else 0),
            ApprovalRun.total <= (100_000 if is_above else 10_000),
        )
        .group_by(ApprovalRun.id)
    ).all()

    assert levels == [2 if is_above else 1]


@pytest.mark.usefixtures("demo")
def test_everybody_signs_in_with_the_documented_password() -> None:
    people = db.session.scalars(select(Person)).all()
    hashes = {person.password_hash for person in people}

    assert len(people) == 34
    assert {person.status for person in people} == {"active"}
    assert len(hashes) == 1
    assert verify_password(hashes.pop(), PASSWORD)


@pytest.mark.parametrize("load", [load_demo, load_small])
@pytest.mark.usefixtures("world")
def test_a_database_with_accounts_is_refused_and_stays_as_it_is(
    now: datetime, business_rows: Rows, load: Callable[[datetime], object]
) -> None:
    before = business_rows()

    with pytest.raises(NotEmptyError, match="already holds accounts"):
        load(now)

    assert business_rows() == before


@pytest.mark.usefixtures("world")
def test_the_small_world_has_the_same_people_and_all_lists_published(cast: Cast) -> None:
    summary = summarise()

    assert summary.accounts == ("ACME", "HANBIT", "SUPPLIER")
    assert len(summary.people) == 35
    assert summary.products == 130
    assert len(db.session.scalars(select(PriceList)).all()) == 7
    assert cast.acme.buyer.unit_code == "IT"
    assert cast.acme.buyer.person_id == cast.acme.buyer_at_research.person_id


@pytest.mark.usefixtures("world")
def test_every_member_of_the_cast_can_act(cast: Cast) -> None:
    for company in (cast.acme, cast.hanbit, cast.supplier):
        names = [name for name in vars(type(company)) if name not in {"code", "name"}]
        for name in names:
            if not name.startswith("_"):
                assert getattr(company, name).account_code == company.code
