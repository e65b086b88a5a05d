"""Submitting from the editor: what was typed is saved and submitted together, or neither is."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from portal.db import db
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.events.queries import find_events
from portal.quotes import actions, queries
from portal.quotes.drafting import DraftConflictError
from portal.quotes.edits import DraftEdits, LineEdit
from portal.quotes.freezing import hash_of
from portal.quotes.models import Quote
from portal.quotes.rules import KIND, QuoteStatus
from portal.quotes.submission import TotalMovedError

Rows = Callable[[], dict[str, tuple[int, str]]]
EDITS = DraftEdits(title="Third floor", lines={1: LineEdit(quantity=Decimal(3))})


@pytest.fixture
def draft(cast: Cast, now: datetime) -> Quote:
    items = [("LT-0001", Decimal(2), None), ("MN-0001", Decimal(3), None)]
    return actions.add_lines(cast.acme.buyer, None, items, now)


def test_what_was_typed_and_added_is_the_content_that_is_submitted(
    cast: Cast, now: datetime, draft: Quote
) -> None:
    buyer, added = cast.acme.buyer, [("MS-0002", Decimal(10), None)]

    actions.save_and_submit(buyer, draft.number, draft.version, EDITS, now, added=added)

    db.session.expire_all()
    revision = queries.get_revision(buyer, draft.number)
    assert [(line.sku, line.quantity) for line in revision.lines] == [
        ("LT-0001", Decimal(3)),
        ("MN-0001", Decimal(3)),
        ("MS-0002", Decimal(10)),
    ]
    assert (revision.title, revision.status) == ("Third floor", QuoteStatus.IN_APPROVAL)
    assert revision.content_hash == hash_of(revision)
    verbs = [event.verb for event in find_events(buyer.account_id, [(KIND, draft.id)])]
    assert verbs.index("quote.saved") < verbs.index("quote.submitted")


@pytest.mark.parametrize("opened_last", ["the submitted one", "another one"])
def test_nothing_is_added_to_what_was_opened_before_the_submission(
    cast: Cast, now: datetime, draft: Quote, opened_last: str
) -> None:
    buyer = cast.acme.buyer
    if opened_last == "another one":
        actions.create_quote(buyer, now)

    actions.save_and_submit(buyer, draft.number, draft.version, DraftEdits(), now)

    assert queries.current_draft(buyer) is None


def test_a_second_press_of_the_same_button_submits_nothing_more(
    cast: Cast, now: datetime, draft: Quote, business_rows: Rows
) -> None:
    buyer, number, seen = cast.acme.buyer, draft.number, draft.version
    assert actions.save_and_submit(buyer, number, seen, EDITS, now) is not None
    before = business_rows()

    assert actions.save_and_submit(buyer, number, seen, EDITS, now) is None
    assert business_rows() == before


def test_a_refused_submission_saves_nothing_by_itself(
    cast: Cast, now: datetime, draft: Quote, business_rows: Rows
) -> None:
    buyer, number, seen = cast.acme.buyer, draft.number, draft.version
    before = business_rows()

    with pytest.raises(TotalMovedError, match=r"it was 1\.00"):
        actions.save_and_submit(buyer, number, seen, EDITS, now, shown_total=Decimal("1.00"))
    with pytest.raises(DraftConflictError):
        actions.save_and_submit(buyer, number, seen - 1, EDITS, now)
    with pytest.raises(NotAllowedError):
        actions.save_and_submit(cast.acme.approver, number, seen, EDITS, now)
    assert business_rows() == before
