"""The kinds of files about prices."""

from portal.catalog.pricing.assignment_imports import AGREEMENTS, ASSIGNMENTS
from portal.catalog.pricing.charge_imports import COSTS, FREIGHT_RATES, TAX_RATES
from portal.catalog.pricing.entry_imports import ENTRIES
from portal.catalog.pricing.list_imports import LISTS
from portal.files.importing import ImportKind

KINDS: tuple[ImportKind, ...] = (
    LISTS,
    ENTRIES,
    ASSIGNMENTS,
    AGREEMENTS,
    COSTS,
    TAX_RATES,
    FREIGHT_RATES,
)
