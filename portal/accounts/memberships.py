"""What administrators of people do: inviting, giving rights, suspending memberships."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from portal.accounts import links, sessions
from portal.accounts.models import (
    AccessGroup,
    Account,
    Membership,
    MembershipRole,
    Person,
    Unit,
)
from portal.accounts.notices import teller
from portal.accounts.queries import (
    find_manager_ids,
    find_person_by_email,
    get_account,
    get_membership,
)
from portal.accounts.rules import (
    AlreadyActiveError,
    AlreadyMemberError,
    ChangedMeanwhileError,
    LinkKind,
    ManagerLoopError,
    MembershipStatus,
    OwnRightsError,
    Rights,
    WrongStateError,
    check_grant,
    check_roles,
    grantable_roles,
    in_loop,
    normal_email,
)
from portal.db import db, transaction
from portal.errors import NotFoundError
from portal.events.actions import record
from portal.policy import Actor, Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Who is invited, and to what."""

    email: str
    name: str
    locale: str | None
    rights: Rights


def rights_of(membership: Membership) -> Rights:
    """Return the rights that hang on a membership whose roles are loaded."""
    return Rights(
        unit_id=membership.unit_id,
        access_group_id=membership.access_group_id,
        roles=frozenset(item.role for item in membership.roles),
        signing_limit=membership.signing_limit,
        signs_unlimited=membership.signs_unlimited,
        manager_id=membership.manager_id,
    )


def fingerprint(rights: Rights, status: str) -> str:
    """Return what a form remembers of the state it was drawn from, to notice another's save."""
    parts = (
        rights.unit_id,
        rights.access_group_id,
        sorted(rights.roles),
        None if rights.signing_limit is None else f"{rights.signing_limit.normalize():f}",
        rights.signs_unlimited,
        rights.manager_id,
        status,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def invite_person(
    actor: Actor, account_code: str, invitation: Invitation, *, now: datetime
) -> Membership:
    """Give somebody a membership and mail them the way in.

    Who is in the portal already keeps name and password; everybody else gets a link that works
    once, for seven days.

    Raises:
        AccountNotFoundError, NotAllowedError: The account, or inviting there, is out of reach.
        OwnRightsError: It is the actor themselves: a second membership would be rights of their
            own making.
        BadEmailError, AlreadyMemberError: The person can't be invited to this unit.
        NotGrantableError, UnitBeyondReachError, GroupBeyondReachError, LimitBeyondReachError:
            The actor may not give these rights.
    """
    email = normal_email(invitation.email)
    with transaction():
        account = get_account(actor, account_code)
        must_administer(actor, account, invitation.rights.access_group_id)
        person = find_person_by_email(email)
        if person is not None and person.id == actor.person_id:
            raise OwnRightsError
        _check_rights(actor, account, None, invitation.rights)
        if person is None:
            person = Person(email=email, name=invitation.name, locale=invitation.locale)
            db.session.add(person)
            db.session.flush()
        membership = _add_membership(account, person, invitation.rights)
        record(
            actor,
            "membership.invited",
            kind="membership",
            object_id=membership.id,
            account_id=account.id,
            now=now,
            person=person.id,
            rights=figures(invitation.rights),
        )
        _mail_invitation(account, person, membership, now)
    return membership


def _add_membership(account: Account, person: Person, rights: Rights) -> Membership:
    known = db.session.scalar(
        select(Membership.id).where(
            Membership.person_id == person.id,
            Membership.account_id == account.id,
            Membership.unit_id == rights.unit_id
            if rights.unit_id is not None
            else Membership.unit_id.is_(None),
        )
    )
    if known is not None:
        raise AlreadyMemberError(email=person.email)
    membership = Membership(person_id=person.id, account_id=account.id, roles=[])
    _apply(membership, rights)
    db.session.add(membership)
    db.session.flush()
    return membership


def _mail_invitation(
    account: Account, person: Person, membership: Membership, now: datetime
) -> None:
    needs_password = person.status == "invited"
    token = links.make_link(LinkKind.INVITATION, person.id, now) if needs_password else ""
    teller()(
        "invitation",
        account_id=account.id,
        subject={
            "account_name": account.name,
            "needs_password": needs_password,
            "days": LinkKind.INVITATION.lasts.days,
        },
        now=now,
        path=f"/invitation/{token}" if token else "/sign-in",
        membership_ids=[membership.id],
        is_secret=bool(token),
    )


def invite_again(actor: Actor, membership_id: int, *, now: datetime) -> None:
    """Mail a new invitation to somebody who has not accepted one; the old link stops working.

    Raises:
        NotFoundError, NotAllowedError: Out of reach.
        AlreadyActiveError: They have a password.
    """
    with transaction():
        membership = _get_administered(actor, membership_id)
        if membership.person.status != "invited":
            raise AlreadyActiveError
        record(
            actor,
            "person.invited",
            kind="membership",
            object_id=membership.id,
            account_id=membership.account_id,
            now=now,
        )
        _mail_invitation(membership.account, membership.person, membership, now)


def change_membership(
    actor: Actor, membership_id: int, rights: Rights, *, seen: str, now: datetime
) -> Membership:
    """Give a membership other rights.

    Args:
        seen: `fingerprint` of the state from which the form was drawn.

    Raises:
        NotFoundError, NotAllowedError: Out of reach.
        OwnRightsError: It is the actor's own, in whatever account.
        ChangedMeanwhileError: Somebody else saved first.
        NotGrantableError, ManagerLoopError, UnitBeyondReachError, GroupBeyondReachError,
            LimitBeyondReachError: These rights can't be given.
    """
    with transaction():
        membership = _get_administered(actor, membership_id)
        old = rights_of(membership)
        if seen != fingerprint(old, membership.status):
            raise ChangedMeanwhileError
        if old == rights:
            return membership
        _check_rights(actor, membership.account, old, rights)
        managers = dict(find_manager_ids(membership.account_id))
        managers[membership.id] = rights.manager_id
        if membership.id in in_loop(managers):
            raise ManagerLoopError
        _refuse_double(membership, rights)
        _apply(membership, rights)
        record(
            actor,
            "membership.changed",
            kind="membership",
            object_id=membership.id,
            account_id=membership.account_id,
            now=now,
            before=figures(old),
            after=figures(rights),
        )
    return membership


def _refuse_double(membership: Membership, rights: Rights) -> None:
    if rights.unit_id == membership.unit_id:
        return
    taken = db.session.scalar(
        select(Membership.id).where(
            Membership.person_id == membership.person_id,
            Membership.account_id == membership.account_id,
            Membership.unit_id == rights.unit_id,
            Membership.id != membership.id,
        )
    )
    if taken is not None:
        raise AlreadyMemberError(email=membership.person.email)


def suspend_membership(actor: Actor, membership_id: int, *, now: datetime) -> None:
    """Take a membership out of use; its sessions end at once.

    Raises:
        NotFoundError, NotAllowedError, OwnRightsError, NotGrantableError: Not the actor's to do.
        WrongStateError: It is not active.
    """
    _set_membership_status(actor, membership_id, MembershipStatus.SUSPENDED, now)


def activate_membership(actor: Actor, membership_id: int, *, now: datetime) -> None:
    """Put a suspended membership back in use; refusals as in `suspend_membership`."""
    _set_membership_status(actor, membership_id, MembershipStatus.ACTIVE, now)


def _set_membership_status(
    actor: Actor, membership_id: int, status: MembershipStatus, now: datetime
) -> None:
    suspends = status is MembershipStatus.SUSPENDED
    with transaction():
        membership = _get_administered(actor, membership_id)
        wanted = MembershipStatus.ACTIVE if suspends else MembershipStatus.SUSPENDED
        if membership.status != wanted:
            raise WrongStateError(status=membership.status)
        grantable = grantable_roles(actor, is_supplier=membership.account.is_supplier)
        check_roles([], [item.role for item in membership.roles], grantable)
        membership.status = status.value
        if suspends:
            sessions.close_membership_sessions(membership.id)
        record(
            actor,
            "membership.suspended" if suspends else "membership.activated",
            kind="membership",
            object_id=membership.id,
            account_id=membership.account_id,
            now=now,
        )


def _get_administered(actor: Actor, membership_id: int) -> Membership:
    """Return a membership, locked, that the actor may change; never one of their own."""
    membership = get_membership(actor, membership_id, is_locked=True)
    check_administers(actor, membership)
    return membership


def check_administers(actor: Actor, membership: Membership) -> None:
    """Refuse an actor who may not change this membership.

    Raises:
        NotAllowedError: The permission does not reach it.
        OwnRightsError: It is the actor's own.
    """
    must_administer(actor, membership.account, membership.access_group_id)
    if membership.person_id == actor.person_id:
        raise OwnRightsError


def must_administer(actor: Actor, account: Account, access_group_id: int | None) -> None:
    """Refuse an actor who may not give rights in this account and access group.

    Raises:
        NotAllowedError: Out of reach; the supplier's own people need the permission for staff.
    """
    actor.must_reach(Permission.PERSON_SAVE, account_id=account.id, group_id=access_group_id)
    if account.is_supplier:
        actor.must(Permission.STAFF_SAVE)


def _check_rights(actor: Actor, account: Account, old: Rights | None, new: Rights) -> None:
    grantable = grantable_roles(actor, is_supplier=account.is_supplier)
    check_roles(old.roles if old else (), new.roles, grantable)
    check_grant(actor, _own_rights(actor), old, new)
    _check_belongs(account.id, new)


def _own_rights(actor: Actor) -> Rights | None:
    if actor.membership_id is None:
        return None
    own = db.session.get_one(Membership, actor.membership_id)
    return Rights(
        unit_id=own.unit_id,
        access_group_id=own.access_group_id,
        roles=frozenset(role.value for role in actor.roles),
        signing_limit=own.signing_limit,
        signs_unlimited=own.signs_unlimited,
        manager_id=own.manager_id,
    )


def _check_belongs(account_id: int, rights: Rights) -> None:
    """Refuse a unit, group or manager of another account, as if it did not exist."""
    for model, key in (
        (Unit, rights.unit_id),
        (AccessGroup, rights.access_group_id),
        (Membership, rights.manager_id),
    ):
        if key is not None and not db.session.scalar(
            select(model.id).where(model.id == key, model.account_id == account_id)
        ):
            raise NotFoundError


def _apply(membership: Membership, rights: Rights) -> None:
    rights = replace(rights, signing_limit=None) if rights.signs_unlimited else rights
    membership.unit_id = rights.unit_id
    membership.access_group_id = rights.access_group_id
    membership.signing_limit = rights.signing_limit
    membership.signs_unlimited = rights.signs_unlimited
    membership.manager_id = rights.manager_id
    set_roles(membership, rights.roles)


def set_roles(membership: Membership, roles: frozenset[str]) -> None:
    """Make ``roles`` the roles of a membership whose present ones are loaded."""
    membership.roles = [
        *(item for item in membership.roles if item.role in roles),
        *(
            MembershipRole(role=role, account_id=membership.account_id)
            for role in sorted(roles - {item.role for item in membership.roles})
        ),
    ]


def figures(rights: Rights) -> dict[str, object]:
    """Return rights as an event holds them: ids and figures."""
    limit: Decimal | None = rights.signing_limit
    return {
        "unit": rights.unit_id,
        "group": rights.access_group_id,
        "roles": sorted(rights.roles),
        "limit": "unlimited" if rights.signs_unlimited else limit,
        "manager": rights.manager_id,
    }
