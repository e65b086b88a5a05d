from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.accounts.models import Address
from portal.catalog.models import PartNumber, Product
from portal.catalog.rules import QuantityError
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.orders.queries import find_ordered_quantities
from portal.policy import Actor
from portal.quotes import actions, queries, waiting
from portal.quotes.adding import (
    BadQuantityError,
    NoSuchProductError,
    ProductEndedError,
    TooMuchError,
    UnknownUomError,
)
from portal.quotes.drafting import BelowOrderedError, DraftConflictError, UnknownPlaceError
from portal.quotes.edits import ClashKind, DraftEdits, LineEdit
from portal.quotes.models import Quote, QuoteLine
from portal.quotes.ordering import set_ordered_quantities_hook
from portal.quotes.places import load_places
from portal.quotes.pricing import price_draft
from portal.quotes.rules import QuoteStatus

Rows = Callable[[], dict[str, tuple[int, str]]]
TWO = [("LT-0001", Decimal(2), None), ("MN-0001", Decimal(3), None)]


def _draft(cast: Cast, now: datetime) -> Quote:
    return actions.add_lines(cast.acme.buyer, None, TWO, now)


def _save(cast: Cast, quote: Quote, edits: DraftEdits, now: datetime) -> Quote:
    return actions.save_draft(cast.acme.buyer, quote.number, quote.version, edits, now)


def test_the_first_product_makes_a_quote_and_the_next_ones_join_it(
    cast: Cast, now: datetime
) -> None:
    first = _draft(cast, now)
    second = actions.add_lines(cast.acme.buyer, None, [("KB-0001", Decimal(1), None)], now)

    assert second.number == first.number
    assert [line.sku for line in second.current.lines] == ["LT-0001", "MN-0001", "KB-0001"]
    draft = queries.current_draft(cast.acme.buyer)
    assert draft is not None
    assert (draft.number, draft.line_count) == (first.number, 3)


def test_the_draft_opened_last_is_the_one_that_is_added_to(cast: Cast, now: datetime) -> None:
    first = _draft(cast, now)
    actions.create_quote(cast.acme.buyer, now)

    actions.open_draft(cast.acme.buyer, first.number, now)

    quote = actions.add_lines(cast.acme.buyer, None, [("KB-0001", Decimal(1), None)], now)
    assert quote.number == first.number


def test_the_same_product_again_makes_its_line_grow(cast: Cast, now: datetime) -> None:
    _draft(cast, now)

    quote = actions.add_lines(cast.acme.buyer, None, [("lt-0001", Decimal(5), None)], now)

    assert [(line.sku, line.quantity) for line in quote.current.lines] == [
        ("LT-0001", Decimal(7)),
        ("MN-0001", Decimal(3)),
    ]


def test_own_part_numbers_are_understood(cast: Cast, now: datetime) -> None:
    own, sku = db.session.execute(
        select(PartNumber.buyer_sku, Product.sku)
        .join(Product, Product.id == PartNumber.product_id)
        .where(PartNumber.account_id == cast.acme.account_id, Product.status == "active")
        .limit(1)
    ).one()

    quote = actions.add_lines(cast.acme.buyer, None, [(own, Decimal(10), None)], now)

    assert [line.sku for line in quote.current.lines] == [sku]


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (("NO-SUCH", Decimal(1), None), NoSuchProductError, "no product NO-SUCH"),
        (("LT-0001", Decimal(1), "KGM"), UnknownUomError, "not sold in KGM: use EA"),
        (("LT-0001", Decimal(0), None), BadQuantityError, "above 0"),
        (("LT-0001", Decimal("0.0001"), None), BadQuantityError, "at most 3 decimals"),
        (("LT-0001", Decimal("1e30"), None), BadQuantityError, "LT-0001"),
        (("LT-0001", Decimal(-5), None), BadQuantityError, "LT-0001"),
    ],
)
def test_what_can_not_be_added_is_refused_and_nothing_is_added(
    cast: Cast,
    now: datetime,
    business_rows: Rows,
    item: tuple[str, Decimal, str | None],
    error: type[Exception],
    words: str,
) -> None:
    _draft(cast, now)
    before = business_rows()

    with pytest.raises(error, match=words):
        actions.add_lines(cast.acme.buyer, None, [("KB-0001", Decimal(1), None), item], now)

    assert business_rows() == before


def test_a_product_that_ended_is_not_added(cast: Cast, now: datetime) -> None:
    with transaction():
        db.session.execute(
            update(Product).where(Product.sku == "KB-0001").values(status="eol", successor_sku=None)
        )

    with pytest.raises(ProductEndedError, match="KB-0001 ended"):
        actions.add_lines(cast.acme.buyer, None, [("KB-0001", Decimal(1), None)], now)


def test_a_quantity_between_packs_names_the_nearest_ones(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    quote = _draft(cast, now)
    with transaction():
        db.session.execute(
            update(Product).where(Product.sku == "LT-0001").values(quantity_multiple=Decimal(5))
        )
    before = business_rows()

    with pytest.raises(QuantityError, match="try 5 or 10"):
        _save(cast, quote, DraftEdits(lines={1: LineEdit(quantity=Decimal(7))}), now)

    assert business_rows() == before


@pytest.mark.parametrize("who", ["viewer", "approver", "auditor"])
def test_who_does_not_shop_makes_no_quote(
    cast: Cast, now: datetime, business_rows: Rows, who: str
) -> None:
    before = business_rows()

    with pytest.raises(NotAllowedError):
        actions.create_quote(getattr(cast.acme, who), now)
    with pytest.raises(NotAllowedError):
        actions.add_lines(getattr(cast.acme, who), None, TWO, now)

    assert business_rows() == before


def test_a_shoppers_colleague_reads_neither_draft_nor_adds_to_it(cast: Cast, now: datetime) -> None:
    quote = _draft(cast, now)

    with pytest.raises(queries.QuoteNotFoundError):
        actions.add_lines(cast.acme.shopper, quote.number, TWO, now)


def test_edits_change_the_head_and_the_lines(cast: Cast, now: datetime) -> None:
    quote = _draft(cast, now)
    places = load_places(cast.acme.account_id)
    centre, address = list(places.cost_centres)[-1], list(places.addresses)[-1]

    saved = _save(
        cast,
        quote,
        DraftEdits(
            title="Laptops",
            note="hurry",
            cost_centre_id=centre,
            lines={1: LineEdit(quantity=Decimal(10), ship_to_address_id=address, note="desk 4")},
            removed=frozenset({2}),
            known=frozenset({1, 2}),
        ),
        now,
    )

    (line,) = saved.current.lines
    assert (saved.title, saved.current.note, saved.current.cost_centre_id) == (
        "Laptops",
        "hurry",
        centre,
    )
    assert (line.quantity, line.ship_to_address_id, line.note) == (Decimal(10), address, "desk 4")
    assert line.seen_price is not None
    assert saved.net_total is not None


def test_a_place_of_another_account_is_refused(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    quote = _draft(cast, now)
    foreign = db.session.scalars(
        select(Address.id).where(Address.account_id == cast.hanbit.account_id)
    ).first()
    before = business_rows()

    with pytest.raises(UnknownPlaceError):
        _save(cast, quote, DraftEdits(ship_to_address_id=foreign), now)

    assert business_rows() == before


def test_the_second_of_two_saves_is_refused_with_both_values(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    quote = _draft(cast, now)
    version = quote.version
    actions.save_draft(
        cast.acme.site_buyer,
        quote.number,
        version,
        DraftEdits(title="Theirs", lines={1: LineEdit(quantity=Decimal(4))}),
        now,
    )
    before = business_rows()
    mine = DraftEdits(title="Mine", lines={1: LineEdit(quantity=Decimal(9))})

    with pytest.raises(DraftConflictError, match="Nothing of theirs was overwritten") as refused:
        actions.save_draft(cast.acme.buyer, quote.number, version, mine, now)

    assert business_rows() == before
    assert [(clash.field, clash.typed, clash.saved) for clash in refused.value.clashes] == [
        ("title", "Mine", "Theirs"),
        ("quantity", Decimal(9), Decimal(4)),
    ]
    assert {clash.kind for clash in refused.value.clashes} == {ClashKind.DIFFERS}


def test_the_same_save_twice_is_one_save(cast: Cast, now: datetime, business_rows: Rows) -> None:
    quote = _draft(cast, now)
    version = quote.version
    edits = DraftEdits(title="Mine", lines={1: LineEdit(quantity=Decimal(9))})
    actions.save_draft(cast.acme.buyer, quote.number, version, edits, now)
    before = business_rows()

    again = actions.save_draft(cast.acme.buyer, quote.number, version, edits, now)

    assert (again.title, business_rows()) == ("Mine", before)


def test_what_is_ordered_is_the_least_that_a_line_can_have(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    quote = _draft(cast, now)
    set_ordered_quantities_hook(lambda _quote_id: {1: Decimal(2)})
    before = business_rows()
    try:
        with pytest.raises(BelowOrderedError, match="LT-0001: 2 are ordered already"):
            _save(cast, quote, DraftEdits(lines={1: LineEdit(quantity=Decimal(1))}), now)
        with pytest.raises(BelowOrderedError):
            _save(cast, quote, DraftEdits(removed=frozenset({1})), now)
    finally:
        set_ordered_quantities_hook(find_ordered_quantities)  # as the application plugs it in
    assert business_rows() == before


def test_lines_of_one_product_are_priced_by_their_sum(cast: Cast, now: datetime) -> None:
    quote = actions.add_lines(cast.acme.buyer, None, [("LT-0001", Decimal(5), None)], now)
    single = quote.current.lines[0].seen_price
    with transaction():
        line = quote.current.lines[0]
        db.session.add(
            QuoteLine(
                account_id=line.account_id,
                revision_id=line.revision_id,
                line_id=2,
                position=2,
                product_id=line.product_id,
                sku=line.sku,
                name=line.name,
                quantity=Decimal(5),
                uom=line.uom,
                trace={},
            )
        )
    quote = queries.get_quote(cast.acme.buyer, quote.number)

    priced = price_draft(cast.acme.buyer, quote.current, load_places(quote.account_id), now)

    prices = {line.resolution.unit_price for line in priced.lines}
    assert len(prices) == 1
    assert single is not None
    assert prices.pop() < single  # type: ignore[operator]  # both are found


def test_a_quote_is_a_source_for_another_one(cast: Cast, now: datetime) -> None:
    quote = _draft(cast, now)
    with transaction():
        db.session.execute(update(Product).where(Product.sku == "MN-0001").values(status="eol"))

    added = actions.add_from_quote(cast.acme.buyer, quote.number, None, now)

    assert added.skipped == ("MN-0001",)
    assert added.quote.number != quote.number
    assert [line.sku for line in added.quote.current.lines] == ["LT-0001"]


def test_discarding_twice_is_discarding_once(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    quote = _draft(cast, now)
    actions.discard_quote(cast.acme.buyer, quote.number, now, quote.version)
    before = business_rows()

    again = actions.discard_quote(cast.acme.buyer, quote.number, now)

    assert (again.status, business_rows()) == (QuoteStatus.DISCARDED, before)
    assert queries.current_draft(cast.acme.buyer) is None


def test_lists_hold_exactly_what_each_may_see(cast: Cast, now: datetime) -> None:
    mine = _draft(cast, now).number
    other = actions.add_lines(cast.acme.shopper, None, TWO, now).number
    research = actions.add_lines(cast.acme.lab_shopper, None, TWO, now).number
    foreign = actions.add_lines(
        cast.hanbit.buyer, None, [("LT-0001", Decimal(1), None)], now
    ).number

    def numbers(actor: Actor) -> set[str]:
        return {row.number for row in queries.find_quotes(actor, queries.Filters())}

    assert numbers(cast.acme.buyer) == numbers(cast.acme.viewer) == {mine, other}
    assert numbers(cast.acme.shopper) == {other}
    assert numbers(cast.acme.lab_shopper) == {research}
    assert numbers(cast.acme.admin) == {mine, other, research}
    assert numbers(cast.hanbit.admin) == {foreign}
    assert numbers(cast.supplier.account_manager) == {mine, other, research}
    assert numbers(cast.supplier.order_desk) == {mine, other, research, foreign}
    assert numbers(cast.supplier.pricing_manager) == set()


def test_tabs_count_exactly_and_search_finds_number_and_title(cast: Cast, now: datetime) -> None:
    first = _draft(cast, now)
    actions.create_quote(cast.acme.buyer, now, title="100% wool_carpets")
    actions.discard_quote(cast.acme.buyer, first.number, now)

    counts = queries.count_tabs(cast.acme.buyer)

    assert {tab.value: count for tab, count in counts.items() if count} == {
        "active": 1,
        "drafts": 1,
        "all": 2,
    }
    for text in ("wool", "0% w", "_carpets", "Q-000002"):
        found = queries.find_quotes(cast.acme.buyer, queries.Filters(text=text))
        assert [row.title for row in found] == ["100% wool_carpets"]
    assert queries.find_quotes(cast.acme.buyer, queries.Filters(text="%l_")) == []


def test_home_counts_what_waits(cast: Cast, now: datetime) -> None:
    quote = _draft(cast, now)
    actions.submit_quote(cast.acme.buyer, quote.number, quote.version, {}, now)
    actions.create_quote(cast.acme.buyer, now)

    counts = waiting.count_for_home(cast.acme.buyer, now)

    assert (counts.drafts, counts.in_approval, counts.approved, counts.expiring) == (1, 1, 0, 0)
    until = quote.current.valid_until
    assert until is not None
    assert waiting.count_for_home(cast.acme.buyer, until - waiting.SOON).expiring == 1
    assert [row.number for row in waiting.find_expiring(cast.acme.buyer, until - waiting.SOON)] == [
        quote.number
    ]


def test_a_line_never_grows_beyond_what_can_be_kept(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    most = Decimal(999_999_999)
    quote = actions.add_lines(cast.acme.buyer, None, [("MS-0002", most, None)], now)
    before = business_rows()

    with pytest.raises(TooMuchError, match="a line has at most 999999999"):
        actions.add_lines(cast.acme.buyer, quote.number, [("MS-0002", Decimal(1), None)], now)
    assert business_rows() == before
