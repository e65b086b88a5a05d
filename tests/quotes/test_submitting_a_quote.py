from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.approvals.actions import decide
from portal.approvals.queries import find_run, get_proof
from portal.approvals.rules import Answer
from portal.catalog.models import Product
from portal.catalog.pricing.models import PriceEntry, PriceList, PriceListVersion
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.events.queries import find_events
from portal.jobs.models import Job
from portal.lifecycle import IllegalMoveError
from portal.messages.models import Message
from portal.quotes import actions, queries
from portal.quotes.drafting import DraftConflictError
from portal.quotes.freezing import hash_of
from portal.quotes.models import Quote
from portal.quotes.rules import KIND, QuoteStatus
from portal.quotes.submission import (
    NoLinesError,
    NotSubmittableError,
    PricesMovedError,
    RevisionPassedError,
    TotalMovedError,
)

Rows = Callable[[], dict[str, tuple[int, str]]]
SMALL = [("MN-0001", Decimal(1), None)]
"""Below every threshold of the policy."""
MIDDLE = [("LT-0001", Decimal(2), None), ("MN-0001", Decimal(3), None)]
"""Over 1,000: an approver of the unit decides."""


def _draft(cast: Cast, now: datetime, items: list[Any] = MIDDLE) -> Quote:
    return actions.add_lines(cast.acme.buyer, None, items, now)


def _submitted(cast: Cast, now: datetime, items: list[Any] = MIDDLE) -> Quote:
    quote = _draft(cast, now, items)
    return actions.submit_quote(cast.acme.buyer, quote.number, quote.version, {}, now)


def _move_prices(sku: str, percent: int) -> None:
    """Change the published entries of a product, as another publication would."""
    with transaction():
        product = db.session.scalars(select(Product).where(Product.sku == sku)).one()
        for entry in db.session.scalars(
            select(PriceEntry).where(PriceEntry.product_id == product.id)
        ):
            entry.value = (entry.value * percent / 100).quantize(Decimal("0.01"))


def test_submitting_freezes_figures_places_and_hash(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now)

    revision = queries.get_revision(cast.acme.buyer, quote.number)
    assert quote.status is QuoteStatus.IN_APPROVAL
    assert revision.lines_total == sum(line.line_total or 0 for line in revision.lines)
    assert revision.net_total == (revision.lines_total or 0) + (revision.freight or 0)
    assert revision.gross_total == (revision.net_total or 0) + (revision.tax_total or 0)
    assert [row["rate"] for row in revision.tax] == ["19"]
    assert all(line.trace["steps"] for line in revision.lines)
    assert all(line.ship_to_address_id for line in revision.lines)
    assert revision.content_hash == hash_of(revision)
    run = find_run(KIND, revision.id)
    assert run is not None
    assert run.content_hash == revision.content_hash


def test_what_was_submitted_keeps_its_prices(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now)
    before = [(line.sku, line.unit_price) for line in quote.current.lines]

    _move_prices("LT-0001", 150)

    again = queries.get_revision(cast.acme.buyer, quote.number)
    assert [(line.sku, line.unit_price) for line in again.lines] == before
    assert hash_of(again) == again.content_hash


def test_no_rule_means_approved_at_once_and_the_requester_is_told(
    cast: Cast, now: datetime
) -> None:
    quote = _submitted(cast, now, SMALL)

    assert quote.status is QuoteStatus.APPROVED
    proof = get_proof(KIND, quote.current.id)
    assert proof is not None
    assert proof.content_hash == quote.current.content_hash
    kinds = db.session.scalars(
        select(Message.kind).where(Message.path == f"/quotes/{quote.number}")
    )
    assert list(kinds) == ["quote_approved"]


def test_submitting_twice_is_submitting_once(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    draft = _draft(cast, now)
    version = draft.version
    actions.submit_quote(cast.acme.buyer, draft.number, version, {}, now)
    before = business_rows()

    again = actions.submit_quote(cast.acme.buyer, draft.number, version, {}, now)

    assert again.status is QuoteStatus.IN_APPROVAL
    assert business_rows() == before


def test_a_price_that_moved_must_be_accepted(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    draft = _draft(cast, now)
    _move_prices("LT-0001", 110)
    before = business_rows()

    with pytest.raises(PricesMovedError, match=r"LT-0001 695\.4600 → ") as refused:
        actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, now)

    assert business_rows() == before
    (move,) = refused.value.moves
    assert move.new is not None
    accepted = {move.line_id: move.new}
    quote = actions.submit_quote(cast.acme.buyer, draft.number, draft.version, accepted, now)
    assert quote.current.lines[0].unit_price == move.new


def test_an_accepted_price_that_moved_again_is_refused(cast: Cast, now: datetime) -> None:
    draft = _draft(cast, now)
    _move_prices("LT-0001", 110)

    with pytest.raises(PricesMovedError):
        actions.submit_quote(
            cast.acme.buyer, draft.number, draft.version, {1: Decimal("0.01")}, now
        )


def test_accepting_a_price_accepts_no_other_total(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    draft = _draft(cast, now)
    prices = {line.line_id: line.seen_price for line in draft.current.lines if line.seen_price}
    before = business_rows()

    with pytest.raises(TotalMovedError, match=r"it was 1\.00"):
        actions.submit_quote(
            cast.acme.buyer, draft.number, draft.version, prices, now, shown_total=Decimal("1.00")
        )
    assert business_rows() == before


def test_a_total_that_is_not_the_one_shown_is_refused(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    draft = _draft(cast, now)
    before = business_rows()

    with pytest.raises(TotalMovedError, match=r"it was 1\.00"):
        actions.submit_quote(
            cast.acme.buyer, draft.number, draft.version, {}, now, shown_total=Decimal("1.00")
        )

    assert business_rows() == before


def test_a_draft_without_lines_is_refused(cast: Cast, now: datetime) -> None:
    draft = actions.create_quote(cast.acme.buyer, now)

    with pytest.raises(NoLinesError, match="has no lines"):
        actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, now)


def test_a_product_that_ended_stays_on_the_draft_and_stops_its_submission(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    draft = _draft(cast, now)
    with transaction():
        db.session.execute(update(Product).where(Product.sku == "LT-0001").values(status="eol"))
    before = business_rows()

    with pytest.raises(NotSubmittableError, match="Line 1, LT-0001: this product ended"):
        actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, now)

    assert business_rows() == before
    lines = queries.get_quote(cast.acme.buyer, draft.number).current.lines
    assert [line.sku for line in lines] == ["LT-0001", "MN-0001"]


def test_a_price_on_request_is_saved_and_not_submitted(cast: Cast, now: datetime) -> None:
    with transaction():
        product = db.session.scalars(select(Product).where(Product.sku == "MN-0001")).one()
        product.category_id = None
        for entry in db.session.scalars(
            select(PriceEntry).where(PriceEntry.product_id == product.id)
        ):
            db.session.delete(entry)

    draft = _draft(cast, now)

    assert draft.current.lines[1].seen_price is None
    with pytest.raises(NotSubmittableError, match="Line 2, MN-0001: the price is on request"):
        actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, now)


def test_a_stale_version_is_refused(cast: Cast, now: datetime, business_rows: Rows) -> None:
    draft = _draft(cast, now)
    stale = draft.version - 1
    before = business_rows()

    with pytest.raises(DraftConflictError, match="changed by somebody else"):
        actions.submit_quote(cast.acme.buyer, draft.number, stale, {}, now)

    assert business_rows() == before


def test_another_accounts_buyer_finds_no_such_quote(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    draft = _draft(cast, now)
    before = business_rows()

    with pytest.raises(queries.QuoteNotFoundError, match="no quote Q-000001"):
        actions.submit_quote(cast.hanbit.buyer, draft.number, draft.version, {}, now)

    assert business_rows() == before


@pytest.mark.parametrize("who", ["viewer", "approver", "admin"])
def test_who_only_sees_the_quote_may_not_submit_it(
    cast: Cast, now: datetime, business_rows: Rows, who: str
) -> None:
    draft = _draft(cast, now)
    before = business_rows()

    with pytest.raises(NotAllowedError):
        actions.submit_quote(getattr(cast.acme, who), draft.number, draft.version, {}, now)

    assert business_rows() == before


def test_a_site_buyer_submits_for_others_and_counts_as_requester(cast: Cast, now: datetime) -> None:
    draft = _draft(cast, now)

    quote = actions.submit_quote(cast.acme.site_buyer, draft.number, draft.version, {}, now)

    people = {item.person_id for item in quote.current.requesters}
    assert people == {cast.acme.buyer.person_id, cast.acme.site_buyer.person_id}


def test_withdrawing_closes_the_revision_and_its_run(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now)

    actions.withdraw_quote(cast.acme.buyer, quote.number, now)
    again = actions.withdraw_quote(cast.acme.buyer, quote.number, now)

    assert again.status is again.current.status is QuoteStatus.WITHDRAWN
    run = find_run(KIND, quote.current.id)
    assert run is not None
    assert run.state == "withdrawn"


@pytest.mark.parametrize("act", [actions.withdraw_quote, actions.revise_quote])
def test_a_page_of_an_earlier_revision_neither_withdraws_nor_revises_the_present_one(
    cast: Cast, now: datetime, business_rows: Rows, act: Callable[..., Quote]
) -> None:
    buyer, number = cast.acme.buyer, _submitted(cast, now).number
    actions.withdraw_quote(buyer, number, now, 1)
    second = actions.revise_quote(buyer, number, now, 1)
    actions.submit_quote(buyer, number, second.version, {}, now)
    before = business_rows()

    with pytest.raises(RevisionPassedError, match="at revision 2 by now"):
        act(buyer, number, now, 1)

    assert business_rows() == before
    assert actions.withdraw_quote(buyer, number, now, 2).status is QuoteStatus.WITHDRAWN


def test_changes_requested_lead_to_the_next_revision_with_the_same_line_ids(
    cast: Cast, now: datetime
) -> None:
    quote = _submitted(cast, now)
    run = find_run(KIND, quote.current.id)
    assert run is not None
    decide(cast.acme.approver, run.id, Answer.REQUEST_CHANGES, "one less", run.content_hash, now)
    assert queries.get_quote(cast.acme.buyer, quote.number).status is QuoteStatus.CHANGES_REQUESTED

    revised = actions.revise_quote(cast.acme.buyer, quote.number, now, 1)
    again = actions.revise_quote(cast.acme.buyer, quote.number, now, 1)

    assert (again.revision, again.status) == (2, QuoteStatus.DRAFT)
    assert [line.line_id for line in revised.current.lines] == [1, 2]
    message = db.session.scalars(
        select(Message).where(Message.kind == "quote_changes_requested")
    ).one()
    assert message.data["comment"] == "one less"
    assert message.membership_id == cast.acme.buyer.membership_id


def test_an_approved_quote_is_superseded_by_its_next_revision(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now, SMALL)

    actions.revise_quote(cast.acme.buyer, quote.number, now)

    first = queries.get_revision(cast.acme.buyer, quote.number, 1)
    assert first.status is QuoteStatus.SUPERSEDED
    with pytest.raises(queries.NotOrderableError, match="is draft"):
        queries.get_orderable(cast.acme.buyer, quote.number)


def test_a_submitted_quote_can_not_be_changed(
    cast: Cast, now: datetime, business_rows: Rows
) -> None:
    quote = _submitted(cast, now)
    before = business_rows()

    with pytest.raises(IllegalMoveError, match="is in approval"):
        actions.add_lines(cast.acme.buyer, quote.number, SMALL, now)
    with pytest.raises(IllegalMoveError):
        actions.discard_quote(cast.acme.buyer, quote.number, now)

    assert business_rows() == before


def test_an_approval_that_is_out_of_time_ends_as_expired(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now)
    until = quote.current.valid_until
    assert until is not None

    assert actions.expire_quotes(until - timedelta(seconds=1)) == 0
    assert actions.expire_quotes(until) == 1
    assert actions.expire_quotes(until) == 0

    ended = queries.get_quote(cast.acme.buyer, quote.number)
    assert ended.status is ended.current.status is QuoteStatus.EXPIRED
    run = find_run(KIND, quote.current.id)
    assert run is not None
    assert run.state == "expired"


def test_the_end_and_two_reminders_are_scheduled_at_submission(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now)
    until = quote.current.valid_until
    assert until is not None

    jobs = db.session.scalars(select(Job).where(Job.kind.startswith("quotes."))).all()

    assert sorted((job.kind, job.run_at) for job in jobs) == [
        (actions.EXPIRE, until),
        (actions.REMIND, now + (until - now) / 2),
        (actions.REMIND, now + (until - now) * 90 / 100),
    ]
    for job in jobs:
        if job.kind == actions.REMIND:
            actions.remind_due(job.payload, job.run_at)
    reminded = select(Message).where(Message.kind == "quote_expiring")
    assert len(db.session.scalars(reminded).all()) == 2


def test_every_step_writes_its_event(cast: Cast, now: datetime) -> None:
    quote = _submitted(cast, now)
    actions.withdraw_quote(cast.acme.buyer, quote.number, now)
    actions.revise_quote(cast.acme.buyer, quote.number, now)
    actions.discard_quote(cast.acme.buyer, quote.number, now)

    events = find_events(cast.acme.account_id, [(KIND, quote.id)])

    assert [event.verb for event in events] == [
        "quote.created",
        "quote.lines-added",
        "quote.submitted",
        "quote.withdrawn",
        "quote.revised",
        "quote.discarded",
    ]
    assert {event.person_id for event in events} == {cast.acme.buyer.person_id}


def test_the_end_of_an_entry_ends_the_revision(cast: Cast, now: datetime) -> None:
    ends = now + timedelta(days=3)
    with transaction():
        version = (
            select(PriceListVersion.id)
            .join(PriceList, PriceList.id == PriceListVersion.list_id)
            .where(PriceList.code == "AG-7")
        )
        db.session.execute(
            update(PriceEntry).where(PriceEntry.version_id.in_(version)).values(valid_to=ends)
        )

    assert _submitted(cast, now).current.valid_until == ends
