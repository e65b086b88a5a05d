from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.policy import Actor, Permission, Role, grants_of
from portal.quotes.comparison import ChangeKind, ComparedLine, compare
from portal.quotes.edits import KEEP, ClashKind, DraftEdits, LineEdit, changes_anything, clashes
from portal.quotes.hashing import FrozenContent, FrozenLine, content_hash, number_text
from portal.quotes.models import QuoteLine, QuoteRevision
from portal.quotes.moves import Move, open_moves
from portal.quotes.rules import TAB_STATES, Tab, end_of_validity, last_day_of
from portal.quotes.rules import QuoteStatus as S
from portal.quotes.totals import TaxRow, add, make_totals

BERLIN, SEOUL = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Seoul")
SUBMITTED = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


# --- validity ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "days", "end", "last"),
    [
        (BERLIN, 30, datetime(2026, 12, 22, 23, tzinfo=UTC), date(2026, 12, 22)),
        (SEOUL, 30, datetime(2026, 12, 22, 15, tzinfo=UTC), date(2026, 12, 22)),
        (BERLIN, 0, datetime(2026, 11, 22, 23, tzinfo=UTC), date(2026, 11, 22)),
        # over the end of summer time the day is 23 hours long, the calendar day still counts
        (BERLIN, 130, datetime(2027, 4, 1, 22, tzinfo=UTC), date(2027, 4, 1)),
    ],
)
def test_a_revision_holds_until_the_end_of_a_calendar_day(
    zone: ZoneInfo, days: int, end: datetime, last: date
) -> None:
    until = end_of_validity(SUBMITTED, zone, days, [None])

    assert until == end
    assert last_day_of(until, zone) == last


def test_an_entry_that_ends_earlier_ends_the_revision_earlier() -> None:
    entry_ends = datetime(2026, 12, 1, tzinfo=BERLIN)

    until = end_of_validity(SUBMITTED, BERLIN, 30, [None, entry_ends])

    assert until == entry_ends
    assert last_day_of(until, BERLIN) == date(2026, 11, 30)


def test_a_submission_late_in_the_evening_counts_in_the_accounts_own_day() -> None:
    late = datetime(2026, 11, 22, 16, tzinfo=UTC)  # 01:00 of the 23rd in Seoul

    assert last_day_of(end_of_validity(late, SEOUL, 1, []), SEOUL) == date(2026, 11, 24)


# --- moves ---------------------------------------------------------------------------------------


def _actor(*roles: Role) -> Actor:
    return Actor(
        person_id=1,
        membership_id=1,
        account_id=1,
        account_code="ACME",
        is_supplier=False,
        currency="EUR",
        locale="en",
        time_zone="UTC",
        roles=frozenset(roles),
        grants=grants_of(roles, is_supplier=False),
    )


@pytest.mark.parametrize("move", list(Move))
@pytest.mark.parametrize("status", list(S))
def test_a_step_is_taken_from_its_own_states_alone(move: Move, status: S) -> None:
    buyer = _actor(Role.BUYER)

    if status in move.sources:
        assert move.apply(status, buyer, "Q-1") is move.target
    else:
        with pytest.raises(IllegalMoveError, match="Q-1 is"):
            move.apply(status, buyer, "Q-1")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.APPROVER, Role.SITE_ADMINISTRATOR])
def test_who_only_sees_quotes_takes_no_step(role: Role) -> None:
    for move in open_moves(S.DRAFT):
        with pytest.raises(NotAllowedError):
            move.apply(S.DRAFT, _actor(role), "Q-1")


def test_a_shopper_takes_every_step_but_ordering() -> None:
    shopper = _actor(Role.SHOPPER)

    allowed = {move for move in Move if move.permission and shopper.can(move.permission)}

    assert allowed == {Move.SAVE, Move.SUBMIT, Move.DISCARD, Move.WITHDRAW, Move.REVISE}


def test_no_button_takes_what_only_the_portal_may_do() -> None:
    drawn = {move for status in S for move in open_moves(status)}

    assert drawn.isdisjoint({Move.APPROVE, Move.REJECT, Move.REQUEST_CHANGES, Move.EXPIRE})
    assert all(move.permission is not None for move in drawn)


def test_every_state_is_in_the_tab_of_all_and_none_in_two_further_ones() -> None:
    narrow = [tab for tab in Tab if tab not in {Tab.ALL, Tab.ACTIVE}]

    assert TAB_STATES[Tab.ALL] == frozenset(S)
    for status in S:
        assert sum(status in TAB_STATES[tab] for tab in narrow) <= 1


# --- totals --------------------------------------------------------------------------------------

CENTS = st.decimals(min_value=0, max_value=10**7, places=2)


@given(st.lists(CENTS, max_size=30), CENTS, st.lists(CENTS, max_size=4))
def test_totals_are_the_sums_of_their_printed_parts(
    lines: list[Decimal], freight: Decimal, taxes: list[Decimal]
) -> None:
    rows = [TaxRow(Decimal(19), Decimal(0), tax) for tax in taxes]

    totals = make_totals("EUR", lines, freight, rows)

    assert totals.lines_total == sum(lines, Decimal(0))
    assert totals.net_total == totals.lines_total + freight
    assert totals.gross_total == totals.net_total + sum(taxes, Decimal(0))
    assert totals.is_complete


def test_without_a_tax_rate_there_is_neither_tax_nor_gross() -> None:
    totals = make_totals("EUR", [Decimal("10.00")], Decimal(0), None)

    assert (totals.tax_total, totals.gross_total, totals.net_total) == (None, None, Decimal(10))


def test_a_price_on_request_is_left_out_of_the_sum_and_said() -> None:
    totals = make_totals("EUR", [Decimal("10.00"), None], Decimal(0), [])

    assert (totals.lines_total, totals.is_complete) == (Decimal("10.00"), False)


def test_a_sum_is_exact_beyond_the_default_precision() -> None:
    big = Decimal("12345678901234567890123456.78")

    assert add([big, Decimal("0.01")]) == Decimal("12345678901234567890123456.79")


# --- content hash --------------------------------------------------------------------------------

LINE = FrozenLine(
    line_id=1,
    position=1,
    sku="LT-0001",
    name="Laptop",
    quantity=Decimal(2),
    uom="EA",
    list_price=Decimal("1299.00"),
    unit_price=Decimal("1143.12"),
    line_total=Decimal("2286.24"),
    off_contract=False,
    trace={"list_code": "AG-7", "steps": [{"priority": None}]},
    cost_centre="2100",
    ship_to="BER-IT",
    note="",
)
CONTENT = FrozenContent(
    number="Q-000001",
    revision=1,
    title="Laptops",
    note="",
    currency="EUR",
    valid_until=datetime(2026, 12, 22, 23, tzinfo=UTC),
    lines_total=Decimal("2286.24"),
    freight=Decimal("15.00"),
    net_total=Decimal("2301.24"),
    tax=[{"rate": "19", "base": "2301.24", "amount": "437.24"}],
    tax_total=Decimal("437.24"),
    gross_total=Decimal("2738.48"),
    places={"addresses": {"BER-IT": {"city": "Berlin"}}},
    lines=[LINE],
)


@pytest.mark.parametrize(
    "changed",
    [
        replace(CONTENT, revision=2),
        replace(CONTENT, note="hurry"),
        replace(CONTENT, currency="USD"),
        replace(CONTENT, valid_until=datetime(2026, 12, 23, 23, tzinfo=UTC)),
        replace(CONTENT, freight=Decimal("15.01")),
        replace(CONTENT, tax=[{"rate": "7", "base": "2301.24", "amount": "437.24"}]),
        replace(CONTENT, gross_total=None),
        replace(CONTENT, places={"addresses": {"BER-IT": {"city": "Bonn"}}}),
        replace(CONTENT, lines=[]),
        replace(CONTENT, lines=[replace(LINE, quantity=Decimal(3))]),
        replace(CONTENT, lines=[replace(LINE, unit_price=Decimal("1143.13"))]),
        replace(CONTENT, lines=[replace(LINE, cost_centre="2200")]),
        replace(CONTENT, lines=[replace(LINE, ship_to="JEN-SHIP")]),
        replace(CONTENT, lines=[replace(LINE, trace={"list_code": "STD-EUR"})]),
        replace(CONTENT, lines=[replace(LINE, line_id=2)]),
    ],
)
def test_another_content_has_another_hash(changed: FrozenContent) -> None:
    assert content_hash(changed) != content_hash(CONTENT)


def test_the_same_figures_with_other_zeros_have_the_same_hash() -> None:
    again = replace(
        CONTENT,
        freight=Decimal(15),
        net_total=Decimal("2301.2400"),
        valid_until=CONTENT.valid_until.astimezone(SEOUL),
        lines=[replace(LINE, quantity=Decimal("2.000"))],
    )

    assert content_hash(again) == content_hash(CONTENT)


def test_a_content_keeps_its_hash_for_ever() -> None:
    booked = {"9": {"ship_to": None}, "10": {"ship_to": "BER-IT"}}
    unseen = replace(
        LINE,
        line_id=10,
        name="Täst 노트북 \u2028",
        quantity=Decimal("1E+2"),
        unit_price=Decimal("-0.00"),
        list_price=None,
        off_contract=True,
    )
    content = replace(CONTENT, places={"lines": booked}, lines=[LINE, unseen])

    assert content_hash(content) == (
        "be08d23b76e6dfd61667a10b054ac688023b59f9dbf021ea8c7e48b45524f587"
    )


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**12))
def test_a_number_is_written_without_exponent_and_read_back_the_same(value: Decimal) -> None:
    text = number_text(value)

    assert Decimal(text) == value
    assert "e" not in text.lower()


# --- comparison ----------------------------------------------------------------------------------


def _line(line_id: int, quantity: int, **others: object) -> ComparedLine:
    known: dict[str, object] = {"unit_price": Decimal(10), "line_total": Decimal(10 * quantity)}
    return ComparedLine(
        line_id=line_id,
        sku=f"S-{line_id}",
        name="x",
        quantity=Decimal(quantity),
        **{**known, **others},  # type: ignore[arg-type]
    )


def test_revisions_are_compared_by_line_id() -> None:
    before = [_line(1, 5), _line(2, 1), _line(3, 1)]
    after = [_line(1, 8), _line(3, 1, unit_price=Decimal(9)), _line(4, 2)]

    changes = compare(before, after)

    assert [(change.kind, change.line.line_id) for change in changes] == [
        (ChangeKind.CHANGED, 1),
        (ChangeKind.CHANGED, 3),
        (ChangeKind.ADDED, 4),
        (ChangeKind.REMOVED, 2),
    ]
    assert changes[0].quantity_changed
    assert not changes[0].price_changed
    assert changes[1].price_changed
    assert not changes[2].quantity_changed


def test_another_cost_centre_is_a_change_of_booking() -> None:
    (change,) = compare([_line(1, 5, cost_centre="A")], [_line(1, 5, cost_centre="B")])

    assert change.booking_changed


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), unique_by=lambda pair: pair[0]))
def test_a_revision_never_differs_from_itself(pairs: list[tuple[int, int]]) -> None:
    lines = [_line(line_id, quantity) for line_id, quantity in pairs]

    assert compare(lines, lines) == []
    assert len(compare([], lines)) == len(compare(lines, [])) == len(lines)


# --- two people at one draft ---------------------------------------------------------------------


def _draft() -> QuoteRevision:
    return QuoteRevision(
        title="Laptops",
        note="",
        cost_centre_id=None,
        ship_to_address_id=1,
        lines=[
            QuoteLine(line_id=1, sku="A", quantity=Decimal(2), note=""),
            QuoteLine(line_id=2, sku="B", quantity=Decimal(3), note=""),
        ],
    )


def test_what_somebody_typed_is_compared_with_what_stands_there() -> None:
    edits = DraftEdits(
        title="Screens",
        lines={1: LineEdit(quantity=Decimal(2)), 9: LineEdit(quantity=Decimal(4))},
        removed=frozenset({2}),
        known=frozenset({1}),
    )
    draft = _draft()

    found = clashes(edits, draft, draft.lines)

    assert [(clash.kind, clash.field, clash.sku) for clash in found] == [
        (ClashKind.DIFFERS, "title", ""),
        (ClashKind.REMOVED, "line", ""),
        (ClashKind.DIFFERS, "line", "B"),
        (ClashKind.ADDED, "line", "B"),
    ]


def test_saving_what_is_there_already_changes_nothing() -> None:
    draft = _draft()
    same = DraftEdits(title="Laptops", lines={1: LineEdit(quantity=Decimal("2.000"), note="")})

    assert not changes_anything(same, draft, draft.lines)
    assert changes_anything(replace(same, title="Other"), draft, draft.lines)
    assert changes_anything(replace(same, removed=frozenset({1})), draft, draft.lines)
    assert LineEdit().quantity is KEEP


def test_permissions_of_the_moves_are_granted_to_somebody() -> None:
    assert {move.permission for move in Move} - {None} <= set(Permission)
