"""Rights that were taken away while a page was open: the next request already lacks them.

Somebody looks at a page, loses a right in one of six ways, and sends what that page offered.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, selectinload
from werkzeug.test import TestResponse

from portal.accounts.actions import set_password, suspend_account, suspend_person
from portal.accounts.memberships import change_membership, fingerprint, rights_of
from portal.accounts.models import Account, Membership, Person, Unit
from portal.accounts.sessions import close_all_sessions
from portal.approvals.models import ApprovalRun, StepApprover
from portal.db import db
from portal.demo.cast import Cast
from portal.orders.models import Order
from portal.policy import Actor, Role
from portal.quotes.models import Quote
from tests.instants import NOW
from tests.stage import PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], object]
pytestmark = pytest.mark.proof

REFUSED: Final = {403, 404, 409, 422}
LEFT: Final = "LAB"


@dataclass(frozen=True)
class Act:
    """What somebody does, as a page offers it: a look first, then what it sends."""

    name: str
    email: str
    membership: str
    look: Callable[[Cast], str]
    send: Callable[[Cast, str], tuple[str, dict[str, str]] | None]
    """The address and the form, made from the page that was looked at; None repeats the look."""
    lesser: Role
    """What somebody still is who lost the role that this needs."""
    spared: tuple[str, ...] = ()
    """Ways that leave this right standing."""


def _number(model: type[Quote | Order], owner: Actor, status: str) -> str:
    """Return the number of somebody's own quote or order in a state."""
    found = db.session.scalar(
        select(model.number)
        .where(model.membership_id == owner.membership_id, model.status == status)
        .order_by(model.id)
        .limit(1)
    )
    assert found, f"the demo has no {model.__tablename__} that is {status}"
    return found


def _hidden(page: str) -> dict[str, str]:
    found = {}
    for field in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name, value = (re.search(rf'{key}="([^"]*)"', field) for key in ("name", "value"))
        if name and value:
            found[name.group(1)] = value.group(1)
    return found


def _waiting_for(actor: Actor) -> int:
    return db.session.scalars(
        select(ApprovalRun.id)
        .join(StepApprover, StepApprover.run_id == ApprovalRun.id)
        .where(StepApprover.membership_id == actor.membership_id, StepApprover.is_waiting)
        .order_by(ApprovalRun.id)
        .limit(1)
    ).one()


def _colleague(cast: Cast) -> str:
    return f"/company/people/{cast.acme.viewer.membership_id}"


ACTS: Final = [
    Act(
        "a viewer reads a colleague's quote",
        "viewer@acme.example",
        "ACME - IT",
        look=lambda cast: f"/quotes/{_number(Quote, cast.acme.buyer, 'draft')}",
        send=lambda _cast, _page: None,
        lesser=Role.SHOPPER,
    ),
    Act(
        "a buyer begins a quote",
        "buyer@acme.example",
        "ACME - IT",
        look=lambda _cast: "/quotes",
        send=lambda _cast, page: ("/quotes", _hidden(page)),
        lesser=Role.VIEWER,
        spared=("moved",),  # wherever they belong, buyers begin quotes
    ),
    Act(
        "an approver approves",
        "approver@acme.example",
        "ACME - IT",
        look=lambda cast: f"/approvals/{_waiting_for(cast.acme.approver)}",
        send=lambda cast, page: (
            f"/approvals/{_waiting_for(cast.acme.approver)}/approve",
            _hidden(page),
        ),
        lesser=Role.VIEWER,
        spared=("moved",),  # a run keeps the people it named while they hold the role
    ),
    Act(
        "an administrator suspends a colleague",
        "admin@acme.example",
        "ACME - HQ",
        look=_colleague,
        send=lambda cast, page: (f"{_colleague(cast)}/suspend", _hidden(page)),
        lesser=Role.VIEWER,
        spared=("moved",),  # an administrator serves the whole account
    ),
    Act(
        "the order desk declines an order",
        "desk@northwind.example",
        "SUPPLIER - NORTHWIND",
        look=lambda cast: f"/orders/{_number(Order, cast.acme.buyer, 'placed')}",
        send=lambda cast, page: (
            f"/orders/{_number(Order, cast.acme.buyer, 'placed')}/decline",
            _hidden(page) | {"reason": "We ran out."},
        ),
        lesser=Role.AUDITOR,
        spared=("moved", "account suspended"),  # the supplier is no customer
    ),
]


def _lower(cast: Cast, act: Act, membership: Membership) -> None:
    rights = replace(rights_of(membership), roles=frozenset({act.lesser.value}))
    _change(cast, membership, rights)


def _move(cast: Cast, _act: Act, membership: Membership) -> None:
    units = select(Unit.id).where(Unit.account_id == membership.account_id, Unit.code == LEFT)
    rights = replace(rights_of(membership), unit_id=db.session.scalars(units).one())
    _change(cast, membership, rights)


def _change(cast: Cast, membership: Membership, rights: object) -> None:
    admin = cast.acme.admin
    if membership.account.is_supplier or membership.id == admin.membership_id:
        admin = cast.supplier.system_admin
    seen = fingerprint(rights_of(membership), membership.status)
    change_membership(admin, membership.id, rights, seen=seen, now=NOW)  # type: ignore[arg-type]


def _leave(cast: Cast, _act: Act, membership: Membership) -> None:
    suspend_person(cast.supplier.system_admin, membership.person_id, now=NOW)


def _close(cast: Cast, _act: Act, membership: Membership) -> None:
    suspend_account(cast.supplier.account_manager, membership.account.code, now=NOW)


def _renew(cast: Cast, _act: Act, membership: Membership) -> None:
    set_password(
        cast.supplier.system_admin, membership.person.email, "quite another 42 words", now=NOW
    )


def _end(_cast: Cast, _act: Act, membership: Membership) -> None:
    close_all_sessions(membership.person_id)


WAYS: Final = {
    "role taken": _lower,
    "moved": _move,
    "suspended": _leave,
    "account suspended": _close,
    "password changed": _renew,
    "session ended": _end,
}


def _cases() -> Iterator[object]:
    for act in ACTS:
        for way in WAYS:
            if way not in act.spared:
                yield pytest.param(act, way, id=f"{act.name}, {way}")


@pytest.mark.parametrize(("act", "way"), list(_cases()))
def test_what_was_open_is_refused_after_the_right_is_gone(
    cast: Cast, sign_in: SignIn, demo: object, business_rows: Rows, act: Act, way: str
) -> None:
    assert demo
    somebody = sign_in(act.email, act.membership)
    address = act.look(cast)
    page = somebody.get(address)
    assert page.status_code == 200, act.name
    sent = act.send(cast, page.text)

    WAYS[way](cast, act, _membership(act))
    before = business_rows()
    answer = somebody.get(address) if sent is None else somebody.post(sent[0], data=sent[1])

    assert answer.status_code in REFUSED or _asks_to_sign_in(answer)
    assert business_rows() == before


@pytest.mark.parametrize("act", ACTS[1:], ids=lambda act: act.name)
def test_the_same_goes_through_while_the_right_is_there(
    cast: Cast, sign_in: SignIn, demo: object, business_rows: Rows, act: Act
) -> None:
    """The negative control: what is refused above is what these people can do."""
    assert demo
    somebody = sign_in(act.email, act.membership)
    sent = act.send(cast, somebody.get(act.look(cast)).text)
    before = business_rows()
    assert sent

    answer = somebody.post(sent[0], data=sent[1])

    assert answer.status_code == 303
    assert not _asks_to_sign_in(answer)
    assert business_rows() != before


def _asks_to_sign_in(answer: TestResponse) -> bool:
    return answer.status_code == 303 and "/sign-in" in answer.location


def _membership(act: Act) -> Membership:
    account, unit = act.membership.split(" - ")
    return db.session.scalars(
        select(Membership)
        .join(Membership.person)
        .join(Membership.account)
        .join(Unit, Unit.id == Membership.unit_id)
        .options(contains_eager(Membership.person), contains_eager(Membership.account))
        .options(selectinload(Membership.roles))
        .where(Person.email == act.email, Account.code == account, Unit.code == unit)
    ).one()
