"""Who may do what: permissions, roles, scopes, the actor; guards, pages and tests read it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from types import MappingProxyType
from typing import Final

from portal.errors import N_, NotAllowedError


@unique
class Scope(StrEnum):
    """How far a permission reaches, from the narrowest."""

    OWN = "own"
    GROUP = "group"
    UNIT = "unit"
    ACCOUNT = "account"
    ASSIGNED = "assigned"
    ALL = "all"

    @property
    def width(self) -> int:
        """Rank from narrow to wide, to pick the wider of two grants."""
        return list(Scope).index(self)


@unique
class Permission(StrEnum):
    """Everything that can be allowed; `noun.verb`."""

    CATALOG_READ = "catalog.read"
    PRICE_READ = "price.read"
    QUOTE_READ = "quote.read"
    QUOTE_SAVE = "quote.save"
    QUOTE_SUBMIT = "quote.submit"
    QUOTE_CONVERT = "quote.convert"
    APPROVAL_READ = "approval.read"
    APPROVAL_DECIDE = "approval.decide"
    ORDER_READ = "order.read"
    ORDER_PLACE = "order.place"
    ORDER_CANCEL = "order.cancel"
    ORDER_CONFIRM = "order.confirm"
    ORDER_DECLINE = "order.decline"
    COMPANY_READ = "company.read"
    COMPANY_SAVE = "company.save"
    PERSON_READ = "person.read"
    PERSON_SAVE = "person.save"
    POLICY_READ = "policy.read"
    POLICY_SAVE = "policy.save"
    EVENT_READ = "event.read"
    ACCOUNT_READ = "account.read"
    ACCOUNT_SAVE = "account.save"
    PRODUCT_SAVE = "product.save"
    ASSORTMENT_SAVE = "assortment.save"
    PRICE_LIST_READ = "price-list.read"
    PRICE_LIST_DRAFT = "price-list.draft"
    PRICE_LIST_PUBLISH = "price-list.publish"
    COST_READ = "cost.read"
    COST_SAVE = "cost.save"
    CHARGE_SAVE = "charge.save"
    STAFF_SAVE = "staff.save"


P = Permission


@unique
class Role(StrEnum):
    """The built-in roles."""

    VIEWER = "viewer"
    SHOPPER = "shopper"
    BUYER = "buyer"
    SITE_BUYER = "site-buyer"
    APPROVER = "approver"
    SERVICE_CONTACT = "service-contact"
    USER_ADMINISTRATOR = "user-administrator"
    SITE_ADMINISTRATOR = "site-administrator"
    ACCOUNT_MANAGER = "account-manager"
    PRICING_MANAGER = "pricing-manager"
    ORDER_DESK = "order-desk"
    SERVICE_AGENT = "service-agent"
    AUDITOR = "auditor"
    SYSTEM_ADMINISTRATOR = "system-administrator"


ROLE_LABELS: Final[Mapping[Role, str]] = {
    Role.VIEWER: N_("Viewer"),
    Role.SHOPPER: N_("Shopper"),
    Role.BUYER: N_("Buyer"),
    Role.SITE_BUYER: N_("Site buyer"),
    Role.APPROVER: N_("Approver"),
    Role.SERVICE_CONTACT: N_("Service contact"),
    Role.USER_ADMINISTRATOR: N_("User administrator"),
    Role.SITE_ADMINISTRATOR: N_("Site administrator"),
    Role.ACCOUNT_MANAGER: N_("Account manager"),
    Role.PRICING_MANAGER: N_("Pricing manager"),
    Role.ORDER_DESK: N_("Order desk"),
    Role.SERVICE_AGENT: N_("Service agent"),
    Role.AUDITOR: N_("Auditor"),
    Role.SYSTEM_ADMINISTRATOR: N_("System administrator"),
}

SUPPLIER_ROLES: Final = frozenset(
    {
        Role.ACCOUNT_MANAGER,
        Role.PRICING_MANAGER,
        Role.ORDER_DESK,
        Role.SERVICE_AGENT,
        Role.AUDITOR,
        Role.SYSTEM_ADMINISTRATOR,
    }
)
CUSTOMER_ROLES: Final = frozenset(set(Role) - SUPPLIER_ROLES | {Role.AUDITOR})
"""An auditor exists on both sides: over all accounts at the supplier, over one when given there."""


def _at(scope: Scope, *permissions: Permission) -> dict[Permission, Scope]:
    return dict.fromkeys(permissions, scope)


_SEES: Final = (P.CATALOG_READ, P.PRICE_READ, P.QUOTE_READ, P.ORDER_READ)
_SHOPS: Final = (P.QUOTE_SAVE, P.QUOTE_SUBMIT)
_BUYS: Final = (*_SHOPS, P.QUOTE_CONVERT, P.ORDER_PLACE, P.ORDER_CANCEL)
_AUDITS: Final = (
    *_SEES,
    P.APPROVAL_READ,
    P.COMPANY_READ,
    P.PERSON_READ,
    P.POLICY_READ,
    P.EVENT_READ,
    P.ACCOUNT_READ,
)
_NAMED: Final = (P.APPROVAL_READ, P.APPROVAL_DECIDE)
"""A run may name any active member, whatever their role; "own" is then the runs that name them."""
_PRICES: Final = (P.PRICE_LIST_READ, P.PRICE_LIST_DRAFT, P.COST_READ)

GRANTS: Final[Mapping[Role, Mapping[Permission, Scope]]] = MappingProxyType(
    {
        Role.VIEWER: _at(Scope.UNIT, *_SEES) | _at(Scope.OWN, *_NAMED),
        Role.SHOPPER: _at(Scope.OWN, P.QUOTE_READ, P.ORDER_READ, *_SHOPS, *_NAMED)
        | _at(Scope.UNIT, P.CATALOG_READ, P.PRICE_READ),
        Role.BUYER: _at(Scope.UNIT, *_SEES) | _at(Scope.OWN, *_BUYS, *_NAMED),
        Role.SITE_BUYER: _at(Scope.ACCOUNT, *_SEES, *_BUYS) | _at(Scope.OWN, *_NAMED),
        Role.APPROVER: _at(Scope.UNIT, *_SEES, P.APPROVAL_READ) | _at(Scope.OWN, P.APPROVAL_DECIDE),
        Role.SERVICE_CONTACT: _at(Scope.UNIT, P.CATALOG_READ) | _at(Scope.OWN, *_NAMED),
        Role.USER_ADMINISTRATOR: _at(Scope.GROUP, P.PERSON_READ, P.PERSON_SAVE)
        | _at(Scope.OWN, *_NAMED),
        Role.SITE_ADMINISTRATOR: _at(
            Scope.ACCOUNT,
            *_SEES,
            P.APPROVAL_READ,
            P.COMPANY_READ,
            P.COMPANY_SAVE,
            P.PERSON_READ,
            P.PERSON_SAVE,
            P.POLICY_READ,
            P.POLICY_SAVE,
            P.EVENT_READ,
        )
        | _at(Scope.OWN, P.APPROVAL_DECIDE),
        Role.ACCOUNT_MANAGER: _at(
            Scope.ASSIGNED,
            *_SEES,
            P.APPROVAL_READ,
            P.COMPANY_READ,
            P.COMPANY_SAVE,
            P.PERSON_READ,
            P.PERSON_SAVE,
            P.POLICY_READ,
            P.POLICY_SAVE,
            P.ACCOUNT_READ,
            P.ACCOUNT_SAVE,
            P.ASSORTMENT_SAVE,
        )
        | _at(Scope.ALL, *_PRICES),
        Role.PRICING_MANAGER: _at(
            Scope.ALL,
            P.CATALOG_READ,
            P.PRICE_READ,
            P.ACCOUNT_READ,
            *_PRICES,
            P.PRICE_LIST_PUBLISH,
            P.COST_SAVE,
            P.CHARGE_SAVE,
            P.PRODUCT_SAVE,
        ),
        Role.ORDER_DESK: _at(Scope.ALL, *_SEES, P.ACCOUNT_READ, P.ORDER_CONFIRM, P.ORDER_DECLINE),
        Role.SERVICE_AGENT: _at(Scope.ALL, P.CATALOG_READ, P.ORDER_READ, P.ACCOUNT_READ),
        Role.AUDITOR: _at(Scope.ALL, *_AUDITS, P.PRICE_LIST_READ, P.COST_READ),
        Role.SYSTEM_ADMINISTRATOR: _at(
            Scope.ALL,
            P.CATALOG_READ,
            P.ACCOUNT_READ,
            P.ACCOUNT_SAVE,
            P.COMPANY_READ,
            P.COMPANY_SAVE,
            P.PERSON_READ,
            P.PERSON_SAVE,
            P.PRODUCT_SAVE,
            P.EVENT_READ,
            P.STAFF_SAVE,
        ),
    }
)
"""Role -> permission -> scope. `portal permissions --matrix` prints it, tests enumerate it."""

_SUPPLIER_ONLY: Final = frozenset(
    {
        P.ACCOUNT_READ,
        P.ACCOUNT_SAVE,
        P.PRODUCT_SAVE,
        P.ASSORTMENT_SAVE,
        P.PRICE_LIST_READ,
        P.PRICE_LIST_DRAFT,
        P.PRICE_LIST_PUBLISH,
        P.COST_READ,
        P.COST_SAVE,
        P.CHARGE_SAVE,
        P.ORDER_CONFIRM,
        P.ORDER_DECLINE,
        P.STAFF_SAVE,
    }
)


def grants_of(roles: Iterable[Role], *, is_supplier: bool) -> Mapping[Permission, Scope]:
    """Return what a set of roles allows together: for each permission the widest scope.

    A member of a customer account never reaches beyond that account, whatever the role's table says
    (an auditor given there audits one account), and never holds a supplier's permission.
    """
    merged: dict[Permission, Scope] = {}
    for role in roles:
        for permission, scope in GRANTS[role].items():
            reached = scope
            if not is_supplier:
                if permission in _SUPPLIER_ONLY:
                    continue
                reached = min(scope, Scope.ACCOUNT, key=lambda item: item.width)
            held = merged.get(permission)
            if held is None or held.width < reached.width:
                merged[permission] = reached
    return MappingProxyType(merged)


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
    access_group_id: int | None = None
    reachable_unit_ids: frozenset[int] = frozenset()
    assigned_account_ids: frozenset[int] = frozenset()
    roles: frozenset[Role] = frozenset()
    grants: Mapping[Permission, Scope] = field(default_factory=dict)
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
            Scope.UNIT: Reach(here, unit_ids=self.reachable_unit_ids),
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


def matrix_rows() -> list[tuple[str, str, str]]:
    """Return (role, permission, scope) for each thing granted, in a stable order."""
    return [
        (role.value, permission.value, GRANTS[role][permission].value)
        for role in Role
        for permission in sorted(GRANTS[role])
    ]
