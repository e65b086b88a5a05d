"""What holds for organisations, rights and passwords, without a database."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from portal.errors import N_, ConflictError, InvalidError, NotAllowedError, NotFoundError
from portal.policy import (
    CUSTOMER_ROLES,
    SUPPLIER_ROLES,
    Actor,
    Permission,
    Role,
    Scope,
    grants_of,
)

SESSION_LASTS: Final = timedelta(hours=12)
SESSION_IDLES: Final = timedelta(minutes=60)
INVITATION_LASTS: Final = timedelta(days=7)
RESET_LASTS: Final = timedelta(hours=1)
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200
FEWEST_DIFFERENT: Final = 5
"""A password of fewer different characters is a pattern on the keyboard."""
LONGEST_EMAIL: Final = 254

ACTING_ACCOUNTS: Final = ("prospect", "active")
"""States of an account in which its people can act; a suspended or closed one waits."""

_EMAIL: Final = re.compile(
    r"[^\s@;,<>\"\x00-\x1f]+@[^\s@;,<>\"\x00-\x1f]+\.[^\s@;,<>\"\x00-\x1f.]+"
)


@unique
class LinkKind(StrEnum):
    """What a mailed single-use link is for."""

    INVITATION = "invitation"
    RESET = "reset"

    @property
    def lasts(self) -> timedelta:
        """How long the link works."""
        return INVITATION_LASTS if self is LinkKind.INVITATION else RESET_LASTS


@unique
class MembershipStatus(StrEnum):
    """Whether a membership can be used; an ended one stays for the record."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


@unique
class AccountStatus(StrEnum):
    """How far the business with an account has come."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    CLOSED = "closed"


STATUS_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prospect": N_("prospect"),
        "active": N_("active"),
        "suspended": N_("suspended"),
        "closed": N_("closed"),
        "invited": N_("invited"),
        "ended": N_("ended"),
    }
)
STATUS_TONES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prospect": "idle",
        "active": "ok",
        "suspended": "warn",
        "closed": "bad",
        "invited": "work",
        "ended": "bad",
    }
)

LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "person.signed-in": N_("Signed in"),
        "person.signed-out": N_("Signed out"),
        "membership.chosen": N_("Membership chosen"),
        "membership.invited": N_("Invited"),
        "membership.changed": N_("Rights changed"),
        "membership.imported": N_("Membership imported"),
        "membership.suspended": N_("Membership suspended"),
        "membership.activated": N_("Membership activated"),
        "person.invited": N_("Invitation link made"),
        "person.invitation-accepted": N_("Invitation accepted"),
        "person.reset-requested": N_("Password reset asked for"),
        "person.password-set": N_("Password set"),
        "person.profile-changed": N_("Profile changed"),
        "person.suspended": N_("Person suspended"),
        "person.activated": N_("Person activated"),
        "account.suspended": N_("Account suspended"),
        "account.activated": N_("Account activated"),
        "account.made": N_("Account made"),
        "accounts.imported": N_("Imported"),
    }
)


class SignInRefusedError(InvalidError):
    """Unknown e-mail, no password or a wrong one: all answered alike."""

    message = N_("The e-mail or the password is wrong.")


class SuspendedError(NotAllowedError):
    """The password is right, and still nobody may act with it."""

    message = N_("Your access is suspended. Ask your administrator to activate it again.")


class TooManyAttemptsError(ConflictError):
    """A rate limit is reached."""

    message = N_("Too many attempts. Try again in {minutes} minutes.")


class LinkGoneError(NotFoundError):
    """An invitation or reset link is unknown, used or too old."""

    message = N_("This link has been used already or has expired. Ask for a new one.")


class WeakPasswordError(InvalidError):
    """The password is too easy to guess."""

    message = N_(
        "Choose a password of {least} to {most} characters that is not your e-mail and not one"
        " character repeated."
    )
    field = "password"


class WrongPasswordError(InvalidError):
    """Whoever changes a password must know the present one."""

    message = N_("This is not your present password.")
    field = "present_password"


class BadEmailError(InvalidError):
    """This is not an e-mail address."""

    message = N_("Enter an e-mail address like name@example.com.")
    field = "email"


class UnknownPersonError(NotFoundError):
    """An operator named somebody who is not there."""

    message = N_("There is nobody with the e-mail {email}.")


class AlreadyActiveError(ConflictError):
    """An invitation is for people who have no password yet."""

    message = N_("This person has a password already: a reset link is what they need.")


class AlreadyMemberError(ConflictError):
    """One person has one membership in a unit."""

    message = N_("{email} is already a member of this unit.")
    field = "email"


class OwnRightsError(NotAllowedError):
    """Rights come from somebody else."""

    message = N_("Nobody changes their own roles, unit, access group, limit, manager or status.")


class NotGrantableError(NotAllowedError):
    """What is granted or taken away must be held."""

    message = N_("You can grant and take away only what you hold yourself: {roles}.")
    field = "roles"


class UnitBeyondReachError(NotAllowedError):
    """A group's administrator placed somebody outside their own units."""

    message = N_("You can place people only in your own unit and below it.")
    field = "unit_id"


class GroupBeyondReachError(NotAllowedError):
    """A group's administrator placed somebody in another group."""

    message = N_("You can place people only in your own access group.")
    field = "access_group_id"


class LimitBeyondReachError(NotAllowedError):
    """A group's administrator gave a limit above their own."""

    message = N_("You can give no higher signing limit than your own.")
    field = "signing_limit"


class ManagerLoopError(InvalidError):
    """Escalation upwards would never end."""

    message = N_("These managers lead back to the same person.")
    field = "manager_id"


class ParentLoopError(InvalidError):
    """A tree has one way up."""

    message = N_("These units lead back to the same unit.")


class ChangedMeanwhileError(ConflictError):
    """The second of two saves; nothing is overwritten."""

    message = N_(
        "Somebody changed this membership while you were editing it. Nothing of yours was saved:"
        " look at what is there now."
    )


class WrongStateError(ConflictError):
    """Already so, or at its end."""

    message = N_("This is {status} and can't be changed that way.")


def normal_email(text: str) -> str:
    """Return the e-mail as the identity it is: trimmed, in lower case.

    Raises:
        BadEmailError: It is not an address.
    """
    email = text.strip().lower()
    # Mails go out without SMTPUTF8: an address in other letters would never be reached.
    if len(email) > LONGEST_EMAIL or not email.isascii() or not _EMAIL.fullmatch(email):
        raise BadEmailError
    return email


def check_password(password: str, email: str) -> None:
    """Refuse a password that is too easy; length counts, not kinds of characters (NIST 800-63B).

    Raises:
        WeakPasswordError: Too short, too long, the e-mail, or hardly any different characters.
    """
    is_fit = (
        SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD
        and len(set(password)) >= FEWEST_DIFFERENT
        and password.lower() not in {email, email.partition("@")[0]}
    )
    if not is_fit:
        raise WeakPasswordError(least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD)


def ancestors(unit_id: int | None, parents: Mapping[int, int | None]) -> tuple[int, ...]:
    """Return the unit itself and those above it, nearest first; a loop ends the way."""
    return tuple(_upwards(unit_id, parents))


def _upwards(unit_id: int | None, parents: Mapping[int, int | None]) -> Iterator[int]:
    seen: set[int] = set()
    while unit_id is not None and unit_id not in seen:
        seen.add(unit_id)
        yield unit_id
        unit_id = parents.get(unit_id)


def descendants(unit_id: int | None, parents: Mapping[int, int | None]) -> frozenset[int]:
    """Return the unit itself and everything below it; nothing for no unit."""
    if unit_id is None:
        return frozenset()
    return frozenset(
        {unit_id} | {item for item in parents if unit_id in ancestors(item, parents)},
    )


def in_loop(parents: Mapping[int, int | None]) -> frozenset[int]:
    """Return everything from which the way upwards comes back to itself."""
    found: set[int] = set()
    safe: set[int] = set()
    for start in parents:
        way: list[int] = []
        item: int | None = start
        while item is not None and item not in safe and item not in found and item not in way:
            way.append(item)
            item = parents.get(item)
        if item is not None and item in way:
            found.update(way[way.index(item) :])
        safe.update(set(way) - found)
    return frozenset(found)


def roles_of_side(*, is_supplier: bool) -> frozenset[Role]:
    """Return the roles that members of the supplier, or of a customer, can hold."""
    return SUPPLIER_ROLES if is_supplier else CUSTOMER_ROLES


def grantable_roles(actor: Actor, *, is_supplier: bool) -> frozenset[Role]:
    """Return the roles that ``actor`` may grant and take away in an account of that side.

    Whoever administers a whole account grants each role of its side; the supplier's own roles need
    the permission for staff. Whoever administers one access group grants what they hold
    themselves: no role that allows more, or reaches further, than their own rights.
    """
    scope = actor.grants.get(Permission.PERSON_SAVE)
    side = roles_of_side(is_supplier=is_supplier)
    if scope is None or (is_supplier and not actor.can(Permission.STAFF_SAVE)):
        return frozenset()
    if scope.width >= Scope.ACCOUNT.width:
        return side
    return frozenset(role for role in side if _holds(actor, role))


def _holds(actor: Actor, role: Role) -> bool:
    granted = grants_of([role], is_supplier=actor.is_supplier)
    return bool(granted) and all(
        permission in actor.grants and actor.grants[permission].width >= scope.width
        for permission, scope in granted.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What hangs on a membership: where it stands, what it sees, does, and signs."""

    unit_id: int | None
    access_group_id: int | None
    roles: frozenset[str]
    signing_limit: Decimal | None
    signs_unlimited: bool
    manager_id: int | None

    def covers_limit(self, limit: Decimal | None, *, unlimited: bool) -> bool:
        """Whether this membership signs for at least as much; an empty limit is 0."""
        if self.signs_unlimited or (not unlimited and not limit):
            return True
        return not unlimited and (limit or Decimal(0)) <= (self.signing_limit or Decimal(0))


def check_grant(actor: Actor, own: Rights | None, old: Rights | None, new: Rights) -> None:
    """Refuse rights that ``actor`` may not give.

    Args:
        own: The actor's own rights; ``None`` for the operator and for staff elsewhere.
        old: The rights until now; ``None`` for a new membership.

    Raises:
        NotGrantableError: A role was added or taken away that the actor may not grant.
        UnitBeyondReachError, GroupBeyondReachError, LimitBeyondReachError: An administrator of
            one access group reached beyond themselves.
    """
    scope = actor.grants.get(Permission.PERSON_SAVE)
    if scope is None or scope.width >= Scope.ACCOUNT.width or own is None:
        return
    if new.access_group_id != actor.access_group_id:
        raise GroupBeyondReachError
    moves = old is None or old.unit_id != new.unit_id
    if moves and actor.unit_id is not None and new.unit_id not in actor.reachable_unit_ids:
        raise UnitBeyondReachError
    has_same_limit = old is not None and (old.signing_limit, old.signs_unlimited) == (
        new.signing_limit,
        new.signs_unlimited,
    )
    if not has_same_limit and not own.covers_limit(
        new.signing_limit, unlimited=new.signs_unlimited
    ):
        raise LimitBeyondReachError


def check_roles(old: Collection[str], new: Collection[str], grantable: Collection[Role]) -> None:
    """Refuse roles added or taken away that are not in ``grantable``.

    Raises:
        NotGrantableError: Naming them.
    """
    beyond = (set(old) ^ set(new)) - {role.value for role in grantable}
    if beyond:
        raise NotGrantableError(roles=", ".join(sorted(beyond)))
