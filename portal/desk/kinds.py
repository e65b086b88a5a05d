"""Every kind of file that can be imported, in the order in which a new installation loads them."""

from collections.abc import Mapping
from typing import Final

from portal.accounts import imports as accounts
from portal.catalog import imports as catalog
from portal.catalog.pricing import imports as pricing
from portal.catalog.stock import imports as stock
from portal.files.importing import ImportKind
from portal.orders.history import imports as past_orders
from portal.policy import CUSTOMER_ROLES, SUPPLIER_ROLES, Permission, grants_of
from portal.quotes import imports as quotes
from portal.reports import rate_import as rates
from portal.service.assets import imports as assets

KINDS: Final[tuple[ImportKind, ...]] = (
    *accounts.KINDS,
    *catalog.KINDS,
    *pricing.KINDS,
    *stock.KINDS,
    *quotes.KINDS,
    *past_orders.KINDS,
    *rates.KINDS,
    *assets.KINDS,
)

BY_NAME: Final[Mapping[str, ImportKind]] = {kind.name: kind for kind in KINDS}


def page_permission(kind: ImportKind) -> Permission | None:
    """Return what the supplier's page of a kind asks for; None where no supplier's role may.

    A permission that customers hold too does not open the supplier's desk: there the right to
    change accounts does, and the import still asks for the kind's own.
    """
    if not any(kind.permission in grants_of([r], is_supplier=True) for r in SUPPLIER_ROLES):
        return None
    if any(kind.permission in grants_of([r], is_supplier=False) for r in CUSTOMER_ROLES):
        return Permission.ACCOUNT_SAVE
    return kind.permission
