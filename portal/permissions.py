"""What can be allowed, and which role allows it how far: the one table of rights."""

from collections.abc import Iterable, Mapping
from enum import StrEnum, unique
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from portal.errors import N_


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
    QUOTE_EXTEND = "quote.extend"
    APPROVAL_READ = "approval.read"
    APPROVAL_DECIDE = "approval.decide"
    ORDER_READ = "order.read"
    ORDER_PLACE = "order.place"
    ORDER_CANCEL = "order.cancel"
    ORDER_CONFIRM = "order.confirm"
    ORDER_DECLINE = "order.decline"
    ORDER_PROPOSE = "order.propose"
    ORDER_ANSWER = "order.answer"
    ORDER_SHIP = "order.ship"
    STOCK_READ = "stock.read"
    STOCK_SAVE = "stock.save"
    ASSET_READ = "asset.read"
    ASSET_SAVE = "asset.save"
    ENTITLEMENT_SAVE = "entitlement.save"
    CASE_READ = "case.read"
    CASE_SAVE = "case.save"
    CASE_WORK = "case.work"
    REPAIR_WORK = "repair.work"
    PART_READ = "part.read"
    PART_SAVE = "part.save"
    ARTICLE_READ = "article.read"
    ARTICLE_SAVE = "article.save"
    SERVICE_SETUP = "service.setup"
    ORDER_REPORT_READ = "order-report.read"
    SERVICE_REPORT_READ = "service-report.read"
    SALES_REPORT_READ = "sales-report.read"
    EXCHANGE_RATE_SAVE = "exchange-rate.save"
    JOB_READ = "job.read"
    JOB_SAVE = "job.save"
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


_LOOKS: Final = (P.CATALOG_READ, P.PRICE_READ, P.QUOTE_READ, P.ORDER_READ)
_SERVED: Final = (P.ASSET_READ, P.CASE_READ, P.ARTICLE_READ)
_SEES: Final = (*_LOOKS, *_SERVED)
_REPORTS: Final = (P.ORDER_REPORT_READ, P.SERVICE_REPORT_READ)
_SHOPS: Final = (P.QUOTE_SAVE, P.QUOTE_SUBMIT, P.CASE_SAVE)
_BUYS: Final = (*_SHOPS, P.QUOTE_CONVERT, P.ORDER_PLACE, P.ORDER_CANCEL, P.ORDER_ANSWER)
_AUDITS: Final = (
    *_SEES,
    *_REPORTS,
    P.SALES_REPORT_READ,
    P.STOCK_READ,
    P.PART_READ,
    P.APPROVAL_READ,
    P.COMPANY_READ,
    P.PERSON_READ,
    P.POLICY_READ,
    P.EVENT_READ,
    P.ACCOUNT_READ,
    P.JOB_READ,
)
_NAMED: Final = (P.APPROVAL_READ, P.APPROVAL_DECIDE)
"""A run may name any active member, whatever their role; "own" is then the runs that name them."""
_PRICES: Final = (P.PRICE_LIST_READ, P.PRICE_LIST_DRAFT, P.COST_READ)
_SERVES: Final = (
    *_SERVED,
    P.ASSET_SAVE,
    P.ENTITLEMENT_SAVE,
    P.CASE_SAVE,
    P.CASE_WORK,
    P.REPAIR_WORK,
    P.PART_READ,
    P.PART_SAVE,
    P.STOCK_READ,
    P.ARTICLE_SAVE,
    P.SERVICE_SETUP,
    P.SERVICE_REPORT_READ,
)

GRANTS: Final[Mapping[Role, Mapping[Permission, Scope]]] = MappingProxyType(
    {
        Role.VIEWER: _at(Scope.UNIT, *_SEES, *_REPORTS) | _at(Scope.OWN, *_NAMED),
        Role.SHOPPER: _at(
            Scope.OWN, P.QUOTE_READ, P.ORDER_READ, P.ASSET_READ, P.CASE_READ, *_SHOPS, *_NAMED
        )
        | _at(Scope.UNIT, P.CATALOG_READ, P.PRICE_READ, P.ARTICLE_READ),
        Role.BUYER: _at(Scope.UNIT, *_SEES, *_REPORTS) | _at(Scope.OWN, *_BUYS, *_NAMED),
        Role.SITE_BUYER: _at(Scope.ACCOUNT, *_SEES, *_REPORTS, *_BUYS) | _at(Scope.OWN, *_NAMED),
        Role.APPROVER: _at(Scope.UNIT, *_SEES, *_REPORTS, P.APPROVAL_READ)
        | _at(Scope.OWN, P.APPROVAL_DECIDE),
        Role.SERVICE_CONTACT: _at(
            Scope.UNIT,
            P.CATALOG_READ,
            *_SERVED,
            P.ASSET_SAVE,
            P.CASE_SAVE,
            P.SERVICE_REPORT_READ,
        )
        | _at(Scope.OWN, *_NAMED),
        Role.USER_ADMINISTRATOR: _at(Scope.GROUP, P.PERSON_READ, P.PERSON_SAVE)
        | _at(Scope.OWN, *_NAMED),
        Role.SITE_ADMINISTRATOR: _at(
            Scope.ACCOUNT,
            *_SEES,
            *_REPORTS,
            P.ASSET_SAVE,
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
            *_REPORTS,
            P.SALES_REPORT_READ,
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
            P.QUOTE_EXTEND,
        )
        | _at(Scope.ALL, *_PRICES, P.STOCK_READ),
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
            P.SALES_REPORT_READ,
            P.EXCHANGE_RATE_SAVE,
        ),
        Role.ORDER_DESK: _at(
            Scope.ALL,
            *_LOOKS,
            P.ASSET_READ,
            P.ACCOUNT_READ,
            P.ORDER_CONFIRM,
            P.ORDER_DECLINE,
            P.ORDER_PROPOSE,
            P.ORDER_SHIP,
            P.STOCK_READ,
            P.STOCK_SAVE,
            P.ORDER_REPORT_READ,
        ),
        Role.SERVICE_AGENT: _at(Scope.ALL, P.CATALOG_READ, P.ORDER_READ, P.ACCOUNT_READ, *_SERVES),
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
            P.JOB_READ,
            P.JOB_SAVE,
        ),
    }
)
"""Role -> permission -> scope. `portal permissions --matrix` prints it, tests enumerate it."""

_SUPPLIER_ONLY: Final = frozenset(
    {
        P.QUOTE_EXTEND,
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
        P.ORDER_PROPOSE,
        P.ORDER_SHIP,
        P.STOCK_READ,
        P.STOCK_SAVE,
        P.ENTITLEMENT_SAVE,
        P.CASE_WORK,
        P.REPAIR_WORK,
        P.PART_READ,
        P.PART_SAVE,
        P.ARTICLE_SAVE,
        P.SERVICE_SETUP,
        P.SALES_REPORT_READ,
        P.EXCHANGE_RATE_SAVE,
        P.JOB_READ,
        P.JOB_SAVE,
        P.STAFF_SAVE,
    }
)


def grants_of(roles: Iterable[Role], *, is_supplier: bool) -> Mapping[Permission, Scope]:
    """Return what a set of roles allows together: for each permission the widest scope.

    A member of a customer account never reaches beyond that account, whatever the role's table says
    (an auditor given there audits one account), and never holds a supplier's permission.
    """
    return _merged(frozenset(roles), is_supplier=is_supplier)


@lru_cache(maxsize=512)
def _merged(roles: frozenset[Role], *, is_supplier: bool) -> Mapping[Permission, Scope]:
    """Merge the grants of a set of roles: asked for on every request, of a table that is fixed."""
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


def matrix_rows() -> list[tuple[str, str, str]]:
    """Return (role, permission, scope) for each thing granted, in a stable order."""
    return [
        (role.value, permission.value, GRANTS[role][permission].value)
        for role in Role
        for permission in sorted(GRANTS[role])
    ]
