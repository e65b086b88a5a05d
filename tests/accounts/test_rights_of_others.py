"""Who may give which rights to whom; nobody to themselves, and nobody over another's save."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from portal.accounts.memberships import (
    Invitation,
    activate_membership,
    change_membership,
    fingerprint,
    invite_person,
    rights_of,
    suspend_membership,
)
from portal.accounts.models import Membership, MembershipRole
from portal.accounts.queries import get_membership, load_actor
from portal.accounts.rules import (
    ChangedMeanwhileError,
    GroupBeyondReachError,
    LimitBeyondReachError,
    ManagerLoopError,
    NotGrantableError,
    OwnRightsError,
    Rights,
    UnitBeyondReachError,
    WrongStateError,
)
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.errors import NotAllowedError, NotFoundError
from portal.events.models import Event
from portal.policy import Actor
from tests.accounts.files import operator
from tests.accounts.keys import key_of
from tests.instants import NOW

Rows = Callable[[], object]


def state(actor: Actor) -> tuple[Rights, str]:
    """Return somebody's rights, and what a form remembers of them."""
    membership = get_membership(operator(), actor.membership_id or 0)
    rights = rights_of(membership)
    return rights, fingerprint(rights, membership.status)


def change(actor: Actor, of: Actor, **changes: Any) -> None:  # noqa: ANN401 - fields of Rights
    rights, seen = state(of)
    change_membership(actor, key_of(of), replace(rights, **changes), seen=seen, now=NOW)


def test_an_administrator_gives_rights_and_the_record_says_which(cast: Cast) -> None:
    change(
        cast.acme.admin,
        cast.acme.viewer,
        roles=frozenset({"viewer", "buyer"}),
        signing_limit=Decimal("250.00"),
    )

    now_held, _seen = state(cast.acme.viewer)
    assert now_held.roles == {"viewer", "buyer"}
    assert now_held.signing_limit == Decimal(250)
    event = db.session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()
    assert event.verb == "membership.changed"
    assert event.data["before"]["roles"] == ["viewer"]
    assert event.data["after"]["roles"] == ["buyer", "viewer"]
    assert event.data["after"]["limit"] == "250.00"


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": frozenset({"site-administrator", "buyer"})},
        {"unit_id": None},
        {"access_group_id": None},
        {"signing_limit": Decimal(1)},
        {"signs_unlimited": True},
        {"manager_id": None},
    ],
)
def test_nobody_changes_their_own_rights(
    cast: Cast,
    business_rows: Rows,
    changes: dict[str, Any],
) -> None:
    before = business_rows()

    with pytest.raises(OwnRightsError, match="Nobody changes their own"):
        change(cast.acme.admin, cast.acme.admin, **changes)
    assert business_rows() == before


@pytest.mark.parametrize(("who", "account"), [("acme", "ACME"), ("supplier", "ACME")])
def test_nobody_invites_themselves_to_rights_of_their_own_making(
    cast: Cast, business_rows: Rows, who: str, account: str
) -> None:
    actor = cast.acme.admin if who == "acme" else cast.supplier.system_admin
    wanted, _seen = state(cast.acme.buyer_at_research)
    invitation = Invitation(
        email=actor.email.upper(),
        name=actor.name,
        locale=None,
        rights=replace(wanted, roles=frozenset({"site-buyer"}), signs_unlimited=True),
    )
    before = business_rows()

    with pytest.raises(OwnRightsError, match="Nobody changes their own"):
        invite_person(actor, account, invitation, now=NOW)
    assert business_rows() == before


def test_nobody_suspends_themselves(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    with pytest.raises(OwnRightsError):
        suspend_membership(cast.acme.admin, key_of(cast.acme.admin), now=NOW)
    assert business_rows() == before


def test_nobody_changes_their_own_rights_through_their_other_membership(cast: Cast) -> None:
    with transaction():
        db.session.execute(
            update(MembershipRole)
            .where(MembershipRole.membership_id == key_of(cast.acme.buyer))
            .values(role="site-administrator")
        )

    with pytest.raises(OwnRightsError):
        change(cast.acme.buyer, cast.acme.buyer_at_research, signs_unlimited=True)


@pytest.mark.parametrize(
    "role", ["account-manager", "system-administrator", "order-desk", "made-up"]
)
def test_no_customer_gets_a_role_of_the_supplier(
    cast: Cast,
    business_rows: Rows,
    role: str,
) -> None:
    before = business_rows()

    for actor in (cast.acme.admin, cast.supplier.account_manager, cast.supplier.system_admin):
        with pytest.raises(NotGrantableError, match=role):
            change(actor, cast.acme.viewer, roles=frozenset({"viewer", role}))
    assert business_rows() == before


def test_another_accounts_people_do_not_exist(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    for actor in (cast.acme.admin, cast.acme.user_admin, cast.supplier.account_manager):
        with pytest.raises(NotFoundError):
            change(actor, cast.hanbit.viewer, signs_unlimited=True)
    assert business_rows() == before


def test_who_only_reads_people_changes_nobody(cast: Cast, business_rows: Rows) -> None:
    before = business_rows()

    for actor in (cast.acme.auditor, cast.supplier.auditor):
        with pytest.raises(NotAllowedError):
            change(actor, cast.acme.viewer, signs_unlimited=True)
    assert business_rows() == before


def test_an_account_manager_leaves_the_suppliers_staff_alone(cast: Cast) -> None:
    with pytest.raises(NotFoundError):
        change(cast.supplier.account_manager, cast.supplier.order_desk, roles=frozenset())
    change(cast.supplier.system_admin, cast.supplier.order_desk, roles=frozenset({"auditor"}))
    assert state(cast.supplier.order_desk)[0].roles == {"auditor"}


@pytest.mark.parametrize("field", ["unit_id", "access_group_id", "manager_id"])
def test_what_belongs_to_another_account_can_not_be_given(cast: Cast, field: str) -> None:
    foreign = {
        "unit_id": cast.hanbit.admin.unit_id,
        "access_group_id": cast.hanbit.admin.access_group_id,
        "manager_id": key_of(cast.hanbit.admin),
    }

    with pytest.raises(NotFoundError):
        change(cast.acme.admin, cast.acme.viewer, **{field: foreign[field]})


def test_the_second_of_two_saves_is_refused(cast: Cast) -> None:
    rights, seen = state(cast.acme.viewer)
    viewer = key_of(cast.acme.viewer)
    first = replace(rights, signing_limit=Decimal(100))
    change_membership(cast.acme.admin, viewer, first, seen=seen, now=NOW)

    with pytest.raises(ChangedMeanwhileError, match="Nothing of yours was saved"):
        change_membership(
            cast.supplier.account_manager,
            viewer,
            replace(rights, signing_limit=Decimal(999)),
            seen=seen,
            now=NOW,
        )
    assert state(cast.acme.viewer)[0].signing_limit == Decimal(100)


def test_managers_never_lead_back_to_the_same_person(cast: Cast) -> None:
    with pytest.raises(ManagerLoopError):
        change(cast.acme.admin, cast.acme.cfo, manager_id=key_of(cast.acme.buyer))
    with pytest.raises(ManagerLoopError):
        change(cast.acme.admin, cast.acme.cfo, manager_id=key_of(cast.acme.cfo))


def group_administrator(cast: Cast) -> Actor:
    """Return the user administrator, who also views and shops, with a limit of 500."""
    key = key_of(cast.acme.user_admin)
    with transaction():
        db.session.execute(
            update(Membership).where(Membership.id == key).values(signing_limit=Decimal(500))
        )
    actor = load_actor(key)
    assert actor is not None
    return actor


def member_of_the_group(cast: Cast, actor: Actor) -> Actor:
    """Put the viewer into the administrator's group."""
    key = key_of(cast.acme.viewer)
    with transaction():
        db.session.execute(
            update(Membership)
            .where(Membership.id == key)
            .values(access_group_id=actor.access_group_id)
        )
    found = load_actor(key)
    assert found is not None
    return found


def test_a_user_administrator_stays_within_group_units_limit_and_roles(
    cast: Cast,
    business_rows: Rows,
) -> None:
    actor = group_administrator(cast)
    member = member_of_the_group(cast, actor)
    outsider = cast.acme.shopper
    before = business_rows()

    with pytest.raises(NotFoundError):
        change(actor, outsider, signing_limit=Decimal(1))
    with pytest.raises(NotGrantableError, match="buyer"):
        change(actor, member, roles=frozenset({"viewer", "buyer"}))
    with pytest.raises(GroupBeyondReachError):
        change(actor, member, access_group_id=outsider.access_group_id)
    with pytest.raises(UnitBeyondReachError):
        change(actor, member, unit_id=cast.acme.cfo.unit_id)
    with pytest.raises(LimitBeyondReachError):
        change(actor, member, signing_limit=Decimal("500.01"))
    with pytest.raises(LimitBeyondReachError):
        change(actor, member, signs_unlimited=True)
    assert business_rows() == before

    change(actor, member, roles=frozenset({"viewer", "shopper"}), signing_limit=Decimal(500))
    assert state(member)[0].roles == {"viewer", "shopper"}


def test_a_user_administrator_invites_nobody_into_another_group(cast: Cast) -> None:
    actor = group_administrator(cast)
    rights, _seen = state(cast.acme.shopper)
    guest = Invitation(
        email="x@acme.example", name="X", locale=None, rights=replace(rights, roles=frozenset())
    )

    with pytest.raises(NotAllowedError):
        invite_person(actor, "ACME", guest, now=NOW)


def test_a_user_administrator_does_not_suspend_those_above_them(cast: Cast) -> None:
    actor = group_administrator(cast)
    assert actor.access_group_id == cast.acme.admin.access_group_id

    with pytest.raises(NotGrantableError, match="site-administrator"):
        suspend_membership(actor, key_of(cast.acme.admin), now=NOW)
    assert load_actor(key_of(cast.acme.admin)) is not None


def test_a_suspended_membership_comes_back_as_it_was(cast: Cast) -> None:
    viewer = cast.acme.viewer
    before, _seen = state(viewer)

    suspend_membership(cast.acme.admin, key_of(viewer), now=NOW)
    assert load_actor(key_of(viewer)) is None
    with pytest.raises(WrongStateError, match="suspended"):
        suspend_membership(cast.acme.admin, key_of(viewer), now=NOW)

    activate_membership(cast.acme.admin, key_of(viewer), now=NOW)
    assert load_actor(key_of(viewer)) == viewer
    assert state(viewer)[0] == before


def test_a_member_who_lost_every_role_can_do_nothing(cast: Cast) -> None:
    key = key_of(cast.acme.buyer)
    with transaction():
        db.session.execute(delete(MembershipRole).where(MembershipRole.membership_id == key))

    actor = load_actor(key)

    assert actor is not None
    assert dict(actor.grants) == {}
