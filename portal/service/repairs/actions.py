"""The way of a repair: announced with a case, received, diagnosed, repaired, tested, sent back.

Locks are taken in the order case, repair, asset, stock; what touches a quote locks it before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from portal.accounts.models import Address
from portal.accounts.queries import find_addresses
from portal.db import db, next_number, transaction
from portal.orders.carriers import name_of, tracking_url
from portal.policy import Actor, Permission
from portal.service.assets.actions import move_asset
from portal.service.assets.queries import get_by_id as get_asset_by_id
from portal.service.assets.rules import AssetStatus
from portal.service.assets.rules import Move as AssetMove
from portal.service.cases.models import Case
from portal.service.cases.queries import get_case
from portal.service.cases.recording import note_step as note_case
from portal.service.cases.rules import BY_DIAGNOSIS, CaseKind, CaseStatus
from portal.service.cases.rules import Move as CaseMove
from portal.service.repairs import parts, queries
from portal.service.repairs.models import Repair
from portal.service.repairs.rules import (
    NEEDS_WORDS,
    PUBLIC_NOTES,
    VERBS,
    Move,
    NotRepairableError,
    RepairChangedError,
    RepairStatus,
    UnderWayError,
    UnknownPlaceError,
    Way,
    WordsNeededError,
    check_ready,
)
from portal.service.repairs.telling import note_step, tell_customer, tell_service

ENDED: Final = frozenset({CaseStatus.CLOSED, CaseStatus.MERGED})
MOST_WORDS: Final = 20_000

_MAILS: Final[Mapping[Move, str]] = {
    Move.RECEIVE: "repair_received",
    Move.CANCEL: "repair_cancelled",
    Move.DIAGNOSE: "repair_diagnosed",
    Move.GIVE_UP: "repair_given_up",
    Move.RETURN: "repair_returned",
}
"""Step -> the mail by which the requester hears of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """How a unit gets to the service, and what is wrong with it.

    ``address`` is the code of an address of the account: from where it is picked up, where it is
    repaired, or where it is sent back to.
    """

    way: Way
    fault: str
    address: str = ""
    contact: str = ""


def announce_repair(
    actor: Actor, number: str, wanted: Announcement, *, key: str, now: datetime
) -> Repair:
    """Begin the repair of the unit that a case is about; the same form sent again begins one.

    Raises:
        CaseNotFoundError, NotAllowedError: By the case.
        NotRepairableError: The case is of another kind, over, or about no unit.
        UnderWayError: The unit is in repair already.
        UnknownPlaceError, WordsNeededError: What was typed.
    """
    with transaction():
        case = get_case(actor, number, for_update=True)
        _must(actor, Permission.CASE_SAVE, case)
        known = queries.find_by_key(case.account_id, key)
        if known is not None and known.case_id == case.id:
            return known
        if case.kind is not CaseKind.REPAIR or case.asset_id is None or case.status in ENDED:
            raise NotRepairableError(number=number)
        asset = get_asset_by_id(case.account_id, case.asset_id, for_update=True)
        other = queries.find_under_way(case.account_id, asset.id)
        if other is not None:
            raise UnderWayError(tag=asset.service_tag, repair=other.number)
        if not wanted.fault.strip():
            raise WordsNeededError(field="fault")
        repair = Repair(
            account_id=case.account_id,
            case_id=case.id,
            asset_id=asset.id,
            number=next_number("repair", "R"),
            status=RepairStatus.AWAITED,
            way=wanted.way,
            place=_place(case, wanted),
            fault=wanted.fault.strip()[:MOST_WORDS],
            form_key=key,
            version=0,
            created_at=now,
            stepped_at=now,
        )
        db.session.add(repair)
        db.session.flush()
        repair = queries.get_by_id(case.account_id, repair.id)
        note_step(actor, repair, "repair.announced", now)
        if actor.can(Permission.REPAIR_WORK):
            tell_customer("repair_announced", case, repair, now, text=repair.fault)
        else:
            tell_service("repair_awaited", case, repair, now, text=repair.fault)
    return repair


def _place(case: Case, wanted: Announcement) -> dict[str, Any]:
    """Return an address of the account as it is now, and whom to ask for there."""
    found = {item.code: item for item in find_addresses(case.account_id, kind="ship")}
    address: Address | None = found.get(wanted.address)
    if address is None and (wanted.address or found):
        raise UnknownPlaceError
    names = ("code", "name", "line1", "line2", "postcode", "city", "region", "country")
    frozen = {name: getattr(address, name) or "" for name in names} if address else {}
    return frozen | {"contact": wanted.contact.strip()[:200]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said with a step; carrier and tracking number where a unit is sent back."""

    note: str = ""
    carrier: str = ""
    tracking_number: str = ""


def take_step(
    actor: Actor, number: str, move: Move, words: Words, *, version: int, now: datetime
) -> Repair:
    """Take a case's repair one step further.

    Args:
        version: Of the repair as it was seen; the same form sent twice takes one step.

    Raises:
        CaseNotFoundError, NotAllowedError, NoRepairError: By the case.
        IllegalMoveError: The repair, or its unit, is in another state.
        RepairChangedError: Somebody else changed it meanwhile.
        WordsNeededError: The step says why, or what was found.
        PartsWaitError: It starts before every part is approved and lies there.
    """
    with transaction():
        if move is Move.GIVE_UP:  # it gives parts back, for which orders may wait
            parts.lock_quotes(actor, number)
        case = get_case(actor, number, for_update=True)
        _must(actor, Permission.REPAIR_WORK, case)
        repair = queries.get_current(case, for_update=True)
        if _was_taken(repair, move, version):
            return repair
        if repair.version != version:
            raise RepairChangedError(number=repair.number)
        status = move.apply(repair.status, actor, repair.number)
        note = words.note.strip()[:MOST_WORDS]
        if move in NEEDS_WORDS and not note:
            raise WordsNeededError
        prepare = _PREPARE.get(move)
        if prepare is not None:
            prepare(actor, repair, words, now)
        repair.status = status
        note_step(actor, repair, VERBS[move], now, note=note, is_internal=move not in PUBLIC_NOTES)
        if move is Move.DIAGNOSE:
            _answer(actor, case, now)
        _tell(move, case, repair, note, now)
    return repair


def _was_taken(repair: Repair, move: Move, version: int) -> bool:
    """Whether the last step was this very one, taken by the form that is sent again."""
    is_last = bool(repair.steps) and repair.steps[-1].verb == VERBS[move]
    return is_last and repair.status is move.target and repair.version > version


def _receive(actor: Actor, repair: Repair, _words: Words, now: datetime) -> None:
    move_asset(actor, repair.account_id, repair.asset_id, AssetMove.ADMIT, now)
    repair.received_at = now


def _diagnose(_actor: Actor, repair: Repair, words: Words, _now: datetime) -> None:
    repair.diagnosis = words.note.strip()[:MOST_WORDS]


def _start(_actor: Actor, repair: Repair, _words: Words, _now: datetime) -> None:
    check_ready(queries.needed_of(repair))


def _pass(actor: Actor, repair: Repair, _words: Words, now: datetime) -> None:
    parts.use_all(actor, repair, now)


def _give_up(actor: Actor, repair: Repair, _words: Words, now: datetime) -> None:
    parts.leave_all(actor, repair, now)


def _return(actor: Actor, repair: Repair, words: Words, now: datetime) -> None:
    asset = get_asset_by_id(repair.account_id, repair.asset_id, for_update=True)
    if asset.status is AssetStatus.IN_REPAIR:  # it may have been taken back for good meanwhile
        move_asset(actor, repair.account_id, repair.asset_id, AssetMove.RELEASE, now)
    repair.returned_at = now
    repair.carrier = words.carrier.strip()[:40]
    repair.tracking_number = words.tracking_number.strip()[:80]


_PREPARE: Final[Mapping[Move, Callable[[Actor, Repair, Words, datetime], None]]] = {
    Move.RECEIVE: _receive,
    Move.DIAGNOSE: _diagnose,
    Move.START: _start,
    Move.PASS: _pass,
    Move.GIVE_UP: _give_up,
    Move.RETURN: _return,
}
"""Step -> what it does besides: to the unit, to the parts."""


def _answer(actor: Actor, case: Case, now: datetime) -> None:
    """Count a diagnosis as the answer that it is: the customer reads it, though nobody wrote."""
    if case.status in CaseMove.ANSWER.sources:
        case.status = CaseMove.ANSWER.apply(case.status, actor, case.number)
        case.assignee_id = case.assignee_id or actor.membership_id
        note_case(actor, case, CaseMove.ANSWER.verb, now, about=BY_DIAGNOSIS)


def _tell(move: Move, case: Case, repair: Repair, note: str, now: datetime) -> None:
    if move not in _MAILS:
        return
    more: dict[str, Any] = {}
    if move is Move.RETURN:
        more = {
            "carrier": name_of(repair.carrier),
            "tracking_number": repair.tracking_number,
            "tracking_url": tracking_url(repair.carrier, repair.tracking_number),
        }
    said = note if move in PUBLIC_NOTES else ""
    tell_customer(_MAILS[move], case, repair, now, text=said, **more)


def _must(actor: Actor, permission: Permission, case: Case) -> None:
    actor.must_reach(
        permission,
        account_id=case.account_id,
        unit_id=case.unit_id,
        owner_id=case.membership_id,
    )
