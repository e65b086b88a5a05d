"""The kinds of file of the catalogue, in the order in which a new installation needs them."""

from typing import Final

from portal.catalog.assortment_import import ASSORTMENTS, ASSORTMENTS_OF_GROUPS
from portal.catalog.category_import import CATEGORIES
from portal.catalog.part_number_import import PART_NUMBERS
from portal.catalog.product_import import PRODUCTS
from portal.catalog.uom_import import UOM_CONVERSIONS
from portal.files.importing import ImportKind

__all__ = ["ASSORTMENTS_OF_GROUPS", "KINDS"]

KINDS: Final[tuple[ImportKind, ...]] = (
    CATEGORIES,
    PRODUCTS,
    UOM_CONVERSIONS,
    ASSORTMENTS,
    PART_NUMBERS,
)
