"""The account manager, and nobody else, holds the prices of a quote for longer."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.approvals.actions import RunExpiredError, decide
from portal.approvals.queries import find_run, load_run
from portal.approvals.rules import Answer
from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.events.queries import find_events
from portal.jobs.models import Job
from portal.lifecycle import IllegalMoveError
from portal.messages.models import Message
from portal.orders.proof import QuoteExpiredError, require_proof
from portal.quotes import actions, queries
from portal.quotes.extending import (
    EndedError,
    ExtendedMeanwhileError,
    NotLongerError,
    TooLongError,
)
from portal.quotes.models import Quote
from portal.quotes.rules import KIND, QuoteStatus

SignIn = Callable[..., FlaskClient]
SMALL = [("MN-0001", Decimal(1), None)]
"""Below every threshold of the policy: approved at once."""
DEAR = [("LT-0001", Decimal(3), None)]
"""Above the first one: the approver is asked."""


@pytest.fixture
def approved(cast: Cast, now: datetime) -> Quote:
    quote = actions.add_lines(cast.acme.buyer, None, SMALL, now)
    return actions.submit_quote(cast.acme.buyer, quote.number, quote.version, {}, now)


def end_of(quote: Quote) -> datetime:
    assert quote.current.holds_until is not None
    return quote.current.holds_until


def later(quote: Quote, days: int) -> date:
    """The day so many days after the last one."""
    return (end_of(quote) + timedelta(hours=2)).date() + timedelta(days=days - 1)


def test_the_order_can_be_made_until_the_later_day_and_not_after(
    cast: Cast, approved: Quote, now: datetime
) -> None:
    first, content = end_of(approved), approved.current.content_hash

    quote = actions.extend_quote(
        cast.supplier.account_manager, approved.number, later(approved, 10), now=now
    )

    assert end_of(quote) == first + timedelta(days=10)
    assert quote.valid_until == end_of(quote)
    assert quote.current.valid_until == first  # what was approved says what it said
    assert require_proof(quote, quote.current, first + timedelta(days=9)).content_hash == content
    with pytest.raises(QuoteExpiredError):
        require_proof(quote, quote.current, first + timedelta(days=10))


def test_who_must_approve_has_until_the_later_day_too(cast: Cast, now: datetime) -> None:
    quote = actions.add_lines(cast.acme.buyer, None, DEAR, now)
    quote = actions.submit_quote(cast.acme.buyer, quote.number, quote.version, {}, now)
    first, day, run = end_of(quote), later(quote, 10), find_run(KIND, quote.current.id)
    assert quote.status is QuoteStatus.IN_APPROVAL
    assert run is not None
    actions.extend_quote(cast.supplier.account_manager, quote.number, day, now=now)
    ends = [first + timedelta(days=9), first + timedelta(days=10)]

    with pytest.raises(RunExpiredError):
        decide(cast.acme.approver, run.id, Answer.APPROVE, "", run.content_hash, ends[1])
    decide(cast.acme.approver, run.id, Answer.APPROVE, "", run.content_hash, ends[0])

    assert queries.get_quote(cast.acme.buyer, quote.number).status is QuoteStatus.APPROVED
    assert load_run(run.id).summary["valid_until"] == day.isoformat()


def test_it_ends_on_the_later_day_and_reminds_of_that_one(
    cast: Cast, approved: Quote, now: datetime
) -> None:
    first = end_of(approved)
    quote = actions.extend_quote(
        cast.supplier.account_manager, approved.number, later(approved, 10), now=now
    )
    jobs = db.session.scalars(select(Job).where(Job.kind == actions.REMIND)).all()

    assert actions.expire_quotes(first) == 0
    for job in jobs:
        actions.remind_due(job.payload, job.run_at)
    assert len(jobs) == 4
    reminded = select(Message).where(Message.kind == "quote_expiring")
    assert len(db.session.scalars(reminded).all()) == 2
    assert actions.expire_quotes(end_of(quote)) == 1


def test_the_record_and_the_requester_learn_of_it(
    cast: Cast, approved: Quote, now: datetime
) -> None:
    day = later(approved, 3)

    actions.extend_quote(
        cast.supplier.account_manager, approved.number, day, reason="The new site", now=now
    )

    event = find_events(cast.acme.account_id, [(KIND, approved.id)])[-1]
    assert event.verb == "quote.extended"
    assert event.person_id == cast.supplier.account_manager.person_id
    assert event.data["reason"] == "The new site"
    told = db.session.scalars(select(Message).where(Message.kind == "quote_extended")).one()
    assert told.membership_id == cast.acme.buyer.membership_id


def test_only_a_later_day_within_a_year_is_taken(
    cast: Cast, approved: Quote, now: datetime
) -> None:
    for day, refusal in (
        (later(approved, 0), NotLongerError),
        (later(approved, -40), NotLongerError),
        (now.date() + timedelta(days=400), TooLongError),
        (date(9999, 12, 31), TooLongError),
    ):
        with pytest.raises(refusal):
            actions.extend_quote(cast.supplier.account_manager, approved.number, day, now=now)

    assert (
        queries.get_quote(cast.supplier.account_manager, approved.number).current.extended_until
        is None
    )


def test_what_has_ended_or_is_a_draft_or_was_revised_is_not_extended(
    cast: Cast, approved: Quote, now: datetime
) -> None:
    draft = actions.add_lines(cast.acme.buyer, None, SMALL, now)
    with pytest.raises(IllegalMoveError):
        actions.extend_quote(
            cast.supplier.account_manager, draft.number, later(approved, 5), now=now
        )
    with pytest.raises(ExtendedMeanwhileError):
        actions.extend_quote(
            cast.supplier.account_manager, approved.number, later(approved, 5), revision=7, now=now
        )
    with pytest.raises(EndedError):
        actions.extend_quote(
            cast.supplier.account_manager, approved.number, later(approved, 5), now=end_of(approved)
        )


def test_nobody_else_extends(cast: Cast, approved: Quote, now: datetime) -> None:
    for actor in (
        cast.acme.buyer,
        cast.supplier.order_desk,
        cast.supplier.pricing_manager,
        cast.supplier.account_manager_asia,
    ):
        with pytest.raises((NotAllowedError, queries.QuoteNotFoundError)):
            actions.extend_quote(actor, approved.number, later(approved, 5), now=now)


def test_a_new_revision_starts_with_the_usual_time(
    cast: Cast, approved: Quote, now: datetime
) -> None:
    usual = end_of(approved)
    actions.extend_quote(
        cast.supplier.account_manager, approved.number, later(approved, 10), now=now
    )
    draft = actions.revise_quote(cast.acme.buyer, approved.number, now)

    again = actions.submit_quote(cast.acme.buyer, draft.number, draft.version, {}, now)

    assert again.status is QuoteStatus.APPROVED
    assert end_of(again) == usual


@pytest.mark.usefixtures("app")
def test_the_manager_extends_on_the_quote_s_page(
    cast: Cast, approved: Quote, sign_in: SignIn
) -> None:
    client = sign_in(cast.supplier.account_manager.email)
    path = f"/quotes/{approved.number}"
    wrong = client.post(f"{path}/extend", data={"until": "2020-01-01", "reason": "Kept"})

    done = client.post(
        f"{path}/extend", data={"until": later(approved, 10).isoformat(), "revision": "1"}
    )

    assert wrong.status_code == 422
    assert "Choose a later day" in wrong.text
    assert "Kept" in wrong.text
    assert done.status_code == 303
    day = (end_of(approved) - timedelta(seconds=1)).astimezone(UTC)
    assert day.strftime("%Y") in client.get(path).text
    assert "Prices held for longer" in client.get(path).text
    buyer = sign_in(cast.acme.buyer.email, membership="ACME - IT")
    assert "/extend" not in buyer.get(path).text
    assert buyer.post(f"{path}/extend").status_code == 403
