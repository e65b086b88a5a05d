"""Lines as pages read them: plain values, for objects of hundreds of lines cost more than rows."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from portal.catalog.models import Category, Product
from portal.catalog.rules import ACTIVE, paths_to
from portal.quotes.models import QuoteLine

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class CategoryRow(NamedTuple):
    """The category of a product; its path names those above it."""

    ancestor_paths: tuple[str, ...]


class ProductRow(NamedTuple):
    """The product of a line, as far as prices, stock and rules ask for it."""

    category: CategoryRow | None
    id: int
    sku: str
    category_id: int | None
    uom: str
    status: str
    successor_sku: str | None
    lead_time_days: int | None
    min_quantity: Decimal | None
    quantity_multiple: Decimal | None
    tax_category: str | None

    @property
    def is_active(self) -> bool:
        """Whether the product is still sold."""
        return self.status == ACTIVE


class LineRow(NamedTuple):
    """A line with its product; the figures stand in those of a submitted revision alone."""

    product: ProductRow
    line_id: int
    position: int
    sku: str
    name: str
    quantity: Decimal
    uom: str
    seen_price: Decimal | None
    cost_centre_id: int | None
    ship_to_address_id: int | None
    note: str
    list_price: Decimal | None = None
    unit_price: Decimal | None = None
    line_total: Decimal | None = None
    trace: Mapping[str, Any] = _NOTHING


AnyLine = QuoteLine | LineRow
AnyProduct = Product | ProductRow
Line = TypeVar("Line", bound=AnyLine)
Line_co = TypeVar("Line_co", bound=AnyLine, covariant=True)

_FROZEN: Final = ("list_price", "unit_price", "line_total", "trace")
_OF_PRODUCT: Final = ProductRow._fields[1:]
_OF_LINE: Final = tuple(name for name in LineRow._fields[1:] if name not in _FROZEN)
PRODUCT_COLUMNS: Final = (Category.path, *(getattr(Product, name) for name in _OF_PRODUCT))
DRAFT_COLUMNS: Final = (*PRODUCT_COLUMNS, *(getattr(QuoteLine, name) for name in _OF_LINE))
FROZEN_COLUMNS: Final = (*DRAFT_COLUMNS, *(getattr(QuoteLine, name) for name in _FROZEN))


def make_line(row: Sequence[Any]) -> LineRow:
    """Return the line of a row of `DRAFT_COLUMNS` or `FROZEN_COLUMNS`."""
    end = len(PRODUCT_COLUMNS)
    return LineRow(ProductRow(_category(row[0]), *row[1:end]), *row[end:])


@lru_cache(maxsize=1_024)
def _category(path: str | None) -> CategoryRow | None:
    return None if path is None else CategoryRow(paths_to(path))
