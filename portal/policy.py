"""Who may do what: the actor and what they reach; the table of rights is in `permissions`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from portal.errors import NotAllowedError
from portal.permissions import (
    CUSTOMER_ROLES,
    GRANTS,
    ROLE_LABELS,
    SUPPLIER_ROLES,
    P,
    Permission,
    Role,
    Scope,
    grants_of,
    matrix_rows,
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows a membership may reach for one permission; `None` means no limit of that kind.

    A row is reached when its account is in ``account_ids`` and, where set, its unit is in
    ``unit_ids``, its access group is ``group_id`` or its owner is ``owner_id``.
    """

    account_ids: frozenset[int] | None
    unit_ids: frozenset[int] | None = None
    group_id: int | None = None
    owner_id: int | None = None
    is_empty: bool = False

    def covers(
        self,
        *,
        account_id: int,
        unit_id: int | None = None,
        owner_id: int | None = None,
        group_id: int | None = None,
    ) -> bool:
        """Whether a row with these marks is reached."""
        if self.is_empty:
            return False
        return (
            (self.account_ids is None or account_id in self.account_ids)
            and (self.unit_ids is None or unit_id in self.unit_ids)
            and (self.group_id is None or group_id == self.group_id)
            and (self.owner_id is None or owner_id == self.owner_id)
        )


NOTHING: Final = Reach(frozenset(), is_empty=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever acts: a membership with its rights as they are at this moment.

    ``locale`` is a BCP 47 tag, ``time_zone`` an IANA name (the account's). The operator at the
    command line acts without a membership.
    """

    person_id: int | None
    membership_id: int | None
    account_id: int
    account_code: str
    is_supplier: bool
    currency: str
    locale: str
    time_zone: str
    name: str = ""
    email: str = ""
    unit_id: int | None = None
    unit_code: str = ""
    unit_path: tuple[int, ...] | None = None
    """The unit and those above it, nearest first; ``None`` where nobody has looked."""
    access_group_id: int | None = None
    reachable_unit_ids: frozenset[int] = frozenset()
    assigned_account_ids: frozenset[int] = frozenset()
    roles: frozenset[Role] = frozenset()
    grants: Mapping[Permission, Scope] = field(default_factory=dict, hash=False)
    operator: str = ""

    def can(self, permission: Permission) -> bool:
        """Whether the permission is held at all, in whatever scope."""
        return permission in self.grants

    def must(self, permission: Permission) -> None:
        """Raise `NotAllowedError` unless the permission is held."""
        if permission not in self.grants:
            raise NotAllowedError(permission=permission.value)

    def reach(self, permission: Permission) -> Reach:
        """Return the rows that ``permission`` reaches: the one scope resolver."""
        scope = self.grants.get(permission)
        here = frozenset({self.account_id})
        if scope is None or (scope is Scope.GROUP and self.access_group_id is None):
            return NOTHING
        return {
            Scope.ALL: Reach(None),
            Scope.ASSIGNED: Reach(self.assigned_account_ids),
            Scope.ACCOUNT: Reach(here),
            # The account itself is above all units: who stands there reaches each of them.
            Scope.UNIT: Reach(here)
            if self.unit_id is None
            else Reach(here, unit_ids=self.reachable_unit_ids),
            Scope.GROUP: Reach(here, group_id=self.access_group_id),
            Scope.OWN: Reach(here, owner_id=self.membership_id),
        }[scope]

    def must_reach(
        self,
        permission: Permission,
        *,
        account_id: int,
        unit_id: int | None = None,
        owner_id: int | None = None,
        group_id: int | None = None,
    ) -> None:
        """Raise `NotAllowedError` unless ``permission`` reaches a row with these marks."""
        reach = self.reach(permission)
        if not reach.covers(
            account_id=account_id, unit_id=unit_id, owner_id=owner_id, group_id=group_id
        ):
            raise NotAllowedError(permission=permission.value)


def operator_actor(*, account_id: int, account_code: str, operator: str, time_zone: str) -> Actor:
    """Return the actor of the command line: every permission over all accounts, named in events."""
    return Actor(
        person_id=None,
        membership_id=None,
        account_id=account_id,
        account_code=account_code,
        is_supplier=True,
        currency="EUR",
        locale="en",
        time_zone=time_zone,
        name=operator,
        operator=operator,
        grants=MappingProxyType(dict.fromkeys(Permission, Scope.ALL)),
    )


__all__ = [
    "CUSTOMER_ROLES",
    "GRANTS",
    "NOTHING",
    "ROLE_LABELS",
    "SUPPLIER_ROLES",
    "Actor",
    "P",
    "Permission",
    "Reach",
    "Role",
    "Scope",
    "grants_of",
    "matrix_rows",
    "operator_actor",
]
