"""A case from its opening to its rating: who may say what, and what each word does to its state."""

from datetime import datetime, timedelta

import pytest

from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.service.cases import queries
from portal.service.cases.actions import NewCase, Then, add_note, open_case, reply
from portal.service.cases.ending import (
    RatedError,
    close_case,
    close_resolved,
    rate_case,
    reopen_case,
)
from portal.service.cases.models import Case
from portal.service.cases.queries import CaseNotFoundError, get_case
from portal.service.cases.rules import (
    CaseKind,
    CaseStatus,
    IllegalMoveError,
    NothingSaidError,
    StarsError,
)
from portal.service.clock.rules import Signal
from tests.service.desk import BusinessRows, OpenCase

S = CaseStatus


def test_a_case_goes_from_its_opening_to_its_rating(
    cast: Cast, now: datetime, opened: OpenCase
) -> None:
    buyer, agent = cast.acme.buyer, cast.supplier.service_agent
    number = opened().number
    hour = timedelta(hours=1)

    assert get_case(buyer, number).status is S.NEW
    reply(agent, number, "Which lamp blinks?", now=now + hour, then=Then.ASK)
    assert get_case(buyer, number).status is S.WAITING
    reply(buyer, number, "The left one.", now=now + 2 * hour)
    assert get_case(buyer, number).status is S.OPEN
    reply(agent, number, "Hold the button.", now=now + 3 * hour, then=Then.RESOLVE)
    assert get_case(buyer, number).status is S.RESOLVED
    close_case(buyer, number, now=now + 4 * hour)
    rate_case(buyer, number, 4, "Quick.", now=now + 5 * hour)

    case = get_case(buyer, number)
    assert (case.status, case.stars, case.rating_text) == (S.CLOSED, 4, "Quick.")
    assert case.assignee_id == agent.membership_id, "who answers what nobody has taken, takes it"
    stamps = [stamp.signal for stamp in queries.stamps_of([case])[case.id]]
    assert stamps == [
        Signal.OPENED,
        Signal.WAITING,
        Signal.RESUMED,
        Signal.ANSWERED,
        Signal.RESOLVED,
        Signal.RESOLVED,
    ]


def test_a_word_to_a_resolved_or_closed_case_opens_it_again(
    cast: Cast, now: datetime, opened: OpenCase
) -> None:
    buyer, agent = cast.acme.buyer, cast.supplier.service_agent
    number = opened().number
    reply(agent, number, "Done.", now=now, then=Then.RESOLVE)

    reply(buyer, number, "It is not.", now=now)
    assert get_case(buyer, number).status is S.OPEN
    close_case(agent, number, now=now)
    reply(buyer, number, "Still not.", now=now)

    case = get_case(buyer, number)
    assert (case.status, case.resolved_at, case.closed_at) == (S.OPEN, None, None)


def test_the_same_form_opens_one_case_and_says_one_thing(
    cast: Cast, now: datetime, opened: OpenCase
) -> None:
    buyer = cast.acme.buyer
    first, second = opened(key="form-1"), opened(key="form-1")
    assert first.number == second.number

    for _ in range(2):
        reply(buyer, first.number, "One more thing.", now=now, key="form-2")

    assert len(queries.find_messages(buyer, [get_case(buyer, first.number)])) == 2


def test_the_same_mail_opens_one_case_and_says_one_thing(
    cast: Cast, now: datetime, opened: OpenCase
) -> None:
    buyer = cast.acme.buyer
    first = opened(message_id="<1@acme.example>")
    assert opened(message_id="<1@acme.example>").number == first.number

    for _ in range(2):
        reply(buyer, first.number, "By mail.", now=now, message_id="<2@acme.example>")

    messages = queries.find_messages(buyer, [get_case(buyer, first.number)])
    assert [message.channel.value for message in messages] == ["portal", "e-mail"]


def test_no_customer_reads_a_note(cast: Cast, now: datetime, opened: OpenCase) -> None:
    agent, case = cast.supplier.service_agent, opened()

    add_note(agent, case.number, "Angry. Call first.", now=now)

    bodies = [item.body for item in queries.find_messages(cast.acme.buyer, [case])]
    assert bodies == ["The lamp blinks."]
    assert len(queries.find_messages(agent, [case])) == 2


def test_a_colleague_may_read_but_not_write(
    cast: Cast, now: datetime, opened: OpenCase, business_rows: BusinessRows
) -> None:
    number = opened().number
    before = business_rows()

    assert get_case(cast.acme.viewer, number).number == number
    with pytest.raises(NotAllowedError):
        reply(cast.acme.viewer, number, "Me too.", now=now)
    with pytest.raises(NotAllowedError):
        close_case(cast.acme.approver, number, now=now)

    assert business_rows() == before


@pytest.mark.parametrize("who", ["hanbit.buyer", "hanbit.service_contact", "acme.research_buyer"])
def test_nobody_else_reaches_the_case(
    cast: Cast, opened: OpenCase, who: str, now: datetime
) -> None:
    company, name = who.split(".")
    other = getattr(getattr(cast, company), name)
    number = opened().number

    with pytest.raises(CaseNotFoundError, match="no case C-"):
        get_case(other, number)
    with pytest.raises(CaseNotFoundError):
        reply(other, number, "Let me in.", now=now)


def test_a_merged_case_takes_no_word_but_that_of_a_mail(
    cast: Cast, now: datetime, merged: tuple[Case, Case]
) -> None:
    buyer, (gone, target) = cast.acme.buyer, merged

    with pytest.raises(IllegalMoveError, match="is merged"):
        reply(buyer, gone.number, "Hello?", now=now)
    case = reply(buyer, gone.number, "Hello by mail.", now=now, message_id="<9@acme.example>")

    assert case.number == target.number


def test_a_case_is_rated_once_and_only_when_it_is_over(
    cast: Cast, now: datetime, opened: OpenCase
) -> None:
    buyer, number = cast.acme.buyer, opened().number

    with pytest.raises(IllegalMoveError):
        rate_case(buyer, number, 5, "", now=now)
    close_case(buyer, number, now=now)
    with pytest.raises(StarsError, match="between 1 and 5"):
        rate_case(buyer, number, 6, "", now=now)
    rate_case(buyer, number, 1, "Slow.", now=now)
    with pytest.raises(RatedError, match="already rated"):
        rate_case(buyer, number, 5, "", now=now)

    assert get_case(buyer, number).stars == 1


def test_what_is_resolved_closes_by_itself_after_a_week(
    cast: Cast, now: datetime, opened: OpenCase
) -> None:
    agent, buyer = cast.supplier.service_agent, cast.acme.buyer
    number = opened().number
    reply(agent, number, "Done.", now=now, then=Then.RESOLVE)

    assert close_resolved(now + timedelta(days=7)) == 0
    assert close_resolved(now + timedelta(days=7, seconds=1)) == 1
    assert close_resolved(now + timedelta(days=8)) == 0

    assert get_case(buyer, number).status is S.CLOSED
    reopen_case(buyer, number, now=now + timedelta(days=9))
    assert get_case(buyer, number).status is S.OPEN


def test_an_empty_word_is_refused_and_changes_nothing(
    cast: Cast, now: datetime, opened: OpenCase, business_rows: BusinessRows
) -> None:
    number = opened().number
    before = business_rows()

    with pytest.raises(NothingSaidError, match="Write what you want to say"):
        reply(cast.acme.buyer, number, "  \n ", now=now)
    with pytest.raises(NothingSaidError):
        open_case(cast.acme.buyer, NewCase(kind=CaseKind.QUESTION, subject="x", text=" "), now=now)

    assert business_rows() == before
