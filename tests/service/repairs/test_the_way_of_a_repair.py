"""The life of a repair: every step from every state, who may take it, what it does to the unit."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import product as pairs

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.messages.models import Message
from portal.policy import GRANTS, P, Role, operator_actor
from portal.service.assets.models import Asset
from portal.service.assets.queries import get_by_id
from portal.service.assets.rules import AssetStatus
from portal.service.cases.queries import CaseNotFoundError, get_case, stamps_of
from portal.service.cases.rules import CaseKind
from portal.service.cases.working import merge_case
from portal.service.clock.rules import Signal
from portal.service.repairs.actions import Announcement, Words, announce_repair, take_step
from portal.service.repairs.models import Repair
from portal.service.repairs.queries import get_current
from portal.service.repairs.rules import (
    LABELS,
    VERBS,
    Move,
    NotRepairableError,
    RepairChangedError,
    RepairStatus,
    UnderWayError,
    UnknownPlaceError,
    Way,
    WordsNeededError,
)
from tests.service.desk import BusinessRows, OpenCase
from tests.service.repairs.conftest import Bring

S = RepairStatus
LEGAL = {
    (S.AWAITED, Move.RECEIVE): S.RECEIVED,
    (S.AWAITED, Move.CANCEL): S.CANCELLED,
    (S.RECEIVED, Move.DIAGNOSE): S.DIAGNOSED,
    (S.RECEIVED, Move.GIVE_UP): S.GIVEN_UP,
    (S.DIAGNOSED, Move.WAIT): S.WAITING,
    (S.DIAGNOSED, Move.START): S.IN_REPAIR,
    (S.DIAGNOSED, Move.GIVE_UP): S.GIVEN_UP,
    (S.WAITING, Move.START): S.IN_REPAIR,
    (S.WAITING, Move.GIVE_UP): S.GIVEN_UP,
    (S.IN_REPAIR, Move.WAIT): S.WAITING,
    (S.IN_REPAIR, Move.PASS): S.TESTED,
    (S.IN_REPAIR, Move.FAIL): S.DIAGNOSED,
    (S.IN_REPAIR, Move.GIVE_UP): S.GIVEN_UP,
    (S.TESTED, Move.FAIL): S.DIAGNOSED,
    (S.TESTED, Move.RETURN): S.RETURNED,
    (S.GIVEN_UP, Move.RETURN): S.RETURNED,
}
RepairNow = Callable[[str], Repair]


def test_each_step_is_legal_from_its_states_alone() -> None:
    agent = operator_actor(account_id=1, account_code="S", operator="test", time_zone="UTC")

    for state, move in pairs(S, Move):
        if (state, move) in LEGAL:
            assert move.apply(state, agent, "R-1") is LEGAL[state, move]
        else:
            with pytest.raises(IllegalMoveError):
                move.apply(state, agent, "R-1")


def test_only_the_service_works_on_repairs() -> None:
    assert {role for role in Role if P.REPAIR_WORK in GRANTS[role]} == {Role.SERVICE_AGENT}
    assert {move.permission for move in Move} == {P.REPAIR_WORK}


def test_every_step_has_words_for_the_time_line() -> None:
    assert set(VERBS) == set(Move)
    assert set(VERBS.values()) <= set(LABELS)


def test_a_repair_goes_from_reception_to_return(
    bring: Bring, laptop: Asset, cast: Cast, case_number: str, now: datetime
) -> None:
    bring(Move.RECEIVE)
    assert _status(laptop) is AssetStatus.IN_REPAIR

    repair = bring(Move.DIAGNOSE, Move.START, Move.PASS)
    agent = cast.supplier.service_agent
    words = Words(note="Works again.", carrier="dhl", tracking_number="JD0001")
    repair = take_step(agent, case_number, Move.RETURN, words, version=repair.version, now=now)

    assert repair.status is S.RETURNED
    assert repair.diagnosis == "Because."
    assert _status(laptop) is AssetStatus.IN_USE
    mails = {item.kind: item for item in _mails("repair_")}
    assert {"repair_received", "repair_diagnosed", "repair_returned"} <= set(mails)
    assert mails["repair_returned"].membership_id == cast.acme.buyer.membership_id
    assert mails["repair_returned"].data["tracking_number"] == "JD0001"
    assert mails["repair_returned"].data["tracking_url"].endswith("JD0001")


def _status(asset: Asset) -> AssetStatus:
    return get_by_id(asset.account_id, asset.id).status


def _mails(prefix: str) -> list[Message]:
    statement = select(Message).where(Message.kind.startswith(prefix)).order_by(Message.id)
    return list(db.session.scalars(statement))


def test_a_diagnosis_is_the_first_answer_and_names_who_works_on_it(
    bring: Bring, cast: Cast, case_number: str
) -> None:
    agent = cast.supplier.service_agent
    bring(Move.RECEIVE, Move.DIAGNOSE)

    case = get_case(agent, case_number)

    assert Signal.ANSWERED in {stamp.signal for stamp in stamps_of([case])[case.id]}
    assert case.assignee_id == agent.membership_id


@pytest.mark.parametrize("move", [Move.DIAGNOSE, Move.GIVE_UP])
def test_what_the_customer_waits_for_is_said_in_words(
    move: Move,
    bring: Bring,
    cast: Cast,
    case_number: str,
    now: datetime,
    business_rows: BusinessRows,
) -> None:
    repair = bring(Move.RECEIVE)
    before = business_rows()

    with pytest.raises(WordsNeededError):
        take_step(
            cast.supplier.service_agent,
            case_number,
            move,
            Words(note=" "),
            version=repair.version,
            now=now,
        )

    assert business_rows() == before


def test_the_same_step_sent_twice_is_one_and_a_stale_one_is_refused(
    bring: Bring, cast: Cast, case_number: str, now: datetime, business_rows: BusinessRows
) -> None:
    seen = bring().version
    agent, number = cast.supplier.service_agent, case_number
    first = take_step(agent, number, Move.RECEIVE, Words(), version=seen, now=now)
    version, before = first.version, business_rows()

    again = take_step(agent, number, Move.RECEIVE, Words(), version=seen, now=now)

    assert again.version == version
    assert business_rows() == before
    with pytest.raises(RepairChangedError):
        take_step(agent, number, Move.DIAGNOSE, Words(note="x"), version=seen, now=now)
    assert business_rows() == before


def test_customers_announce_but_take_no_step(
    bring: Bring, cast: Cast, case_number: str, now: datetime
) -> None:
    repair = bring()

    with pytest.raises(NotAllowedError):
        take_step(
            cast.acme.buyer, case_number, Move.RECEIVE, Words(), version=repair.version, now=now
        )
    wanted = Announcement(way=Way.SEND_IN, fault="x", address="BER-IT")
    with pytest.raises(NotAllowedError):
        announce_repair(cast.acme.viewer, case_number, wanted, key="v", now=now)
    with pytest.raises(CaseNotFoundError):
        announce_repair(cast.hanbit.buyer, case_number, wanted, key="h", now=now)


def test_the_same_form_announces_once_and_a_unit_is_in_one_repair(
    bring: Bring, laptop: Asset, cast: Cast, opened: OpenCase, now: datetime
) -> None:
    first = bring()
    assert bring().id == first.id
    assert _mails("repair_awaited"), "the service is told of what a customer announces"
    other = opened(subject="Again").number
    wanted = Announcement(way=Way.SEND_IN, fault="x", address="BER-IT")

    with pytest.raises(NotRepairableError):
        announce_repair(cast.acme.buyer, other, wanted, key="o", now=now)
    second = opened(kind=CaseKind.REPAIR, subject="Lid", asset_tag=laptop.service_tag).number
    with pytest.raises(UnderWayError):
        announce_repair(cast.acme.buyer, second, wanted, key="s", now=now)


def test_only_an_address_of_the_account_is_taken(
    cast: Cast, case_number: str, now: datetime
) -> None:
    for address in ("SEL-SHIP", ""):
        wanted = Announcement(way=Way.PICK_UP, fault="x", address=address)
        with pytest.raises(UnknownPlaceError):
            announce_repair(cast.acme.buyer, case_number, wanted, key="p", now=now)


def test_a_unit_out_of_use_is_not_received(
    bring: Bring, laptop: Asset, cast: Cast, case_number: str, now: datetime
) -> None:
    repair = bring()
    with transaction():
        get_by_id(laptop.account_id, laptop.id).status = AssetStatus.RETIRED

    with pytest.raises(IllegalMoveError):
        take_step(
            cast.supplier.service_agent,
            case_number,
            Move.RECEIVE,
            Words(),
            version=repair.version,
            now=now,
        )
    assert get_current(get_case(cast.acme.buyer, case_number)).status is S.AWAITED


def test_a_repair_goes_on_in_the_case_into_which_its_own_was_merged(
    bring: Bring, cast: Cast, case_number: str, opened: OpenCase, now: datetime
) -> None:
    repair = bring(Move.RECEIVE)
    agent, target = cast.supplier.service_agent, opened(subject="Hinge again").number
    merge_case(agent, case_number, target, now=now)

    words = Words(note="Broken.")
    moved = take_step(agent, target, Move.DIAGNOSE, words, version=repair.version, now=now)

    assert (moved.id, moved.status) == (repair.id, S.DIAGNOSED)


def test_notes_of_the_bench_stay_with_the_service(
    bring: Bring, cast: Cast, case_number: str
) -> None:
    bring(Move.RECEIVE, Move.DIAGNOSE, Move.START)
    repair = get_current(get_case(cast.supplier.service_agent, case_number))

    assert {step.verb: step.is_internal for step in repair.steps} == {
        "repair.announced": False,
        "repair.received": True,
        "repair.diagnosed": False,
        "repair.started": True,
    }
    assert repair.steps[1].taken_at < repair.steps[2].taken_at
    assert Decimal(repair.version) == len(repair.steps)
