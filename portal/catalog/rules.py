"""What holds for products without asking anybody: quantities, life cycle, names by language."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final, Protocol

from portal.errors import N_, InvalidError

ACTIVE: Final = "active"
ENDED: Final = "eol"
STATUSES: Final = (ACTIVE, ENDED)
STEERING: Final = frozenset(
    {"warranty_months", "renewal_months", "renewal_for", "renewal_covers", "covered_as"}
)
"""Attributes that tell the service what a product is good for: nothing that buyers choose by."""

STATUS_LABELS: Final[Mapping[str, str]] = {ACTIVE: N_("active"), ENDED: N_("end of life")}
STATUS_TONES: Final[Mapping[str, str]] = {ACTIVE: "ok", ENDED: "idle"}

LABELS: Final[Mapping[str, str]] = {
    "catalogue.imported": N_("Catalogue changed by a file"),
    "assortment.imported": N_("Assortments changed by a file"),
    "part-number.imported": N_("Own part numbers changed by a file"),
    "product.changed": N_("Product changed"),
}
"""What the time line says of each verb."""


class QuantityError(InvalidError):
    """The product can't be ordered in this quantity."""

    message = N_("Enter a quantity above 0.")
    field = "quantity"


class MinimumQuantityError(QuantityError):
    """Less than the smallest quantity that is sold."""

    message = N_("The smallest quantity of this item is {least}.")


class PackQuantityError(QuantityError):
    """Not a multiple of the pack; both neighbours are named."""

    message = N_("This item ships in packs of {pack}: try {below} or {above}.")


class FirstPackError(QuantityError):
    """Not a multiple of the pack, and below the first quantity that is sold."""

    message = N_("This item ships in packs of {pack}: try {above}.")


class SuccessorError(InvalidError):
    """A product can't follow on itself."""

    message = N_("A product can't be its own successor.")
    field = "successor_sku"


class Sellable(Protocol):
    """What the rules of quantity need to know of a product."""

    @property
    def min_quantity(self) -> Any: ...  # noqa: ANN401 - a mapped column or a plain value
    @property
    def quantity_multiple(self) -> Any: ...  # noqa: ANN401


def smallest_quantity(product: Sellable) -> Decimal:
    """Return the least quantity that can be ordered: the minimum, rounded up to whole packs."""
    pack, least = product.quantity_multiple, product.min_quantity
    if pack is None:
        return _plain(least or Decimal(1))
    return _plain(_packs(least or pack, pack, ROUND_CEILING))


def check_quantity(product: Sellable, quantity: Decimal) -> QuantityError | None:
    """Return why ``quantity`` can't be ordered, naming the nearest ones that can; else ``None``."""
    if quantity <= 0:
        return QuantityError()
    least, pack = smallest_quantity(product), product.quantity_multiple
    if pack is None:
        too_small = product.min_quantity is not None and quantity < least
        return MinimumQuantityError(least=least) if too_small else None
    if quantity % pack:
        return _between_packs(quantity, pack, least)
    return MinimumQuantityError(least=least) if quantity < least else None


def _between_packs(quantity: Decimal, pack: Decimal, least: Decimal) -> QuantityError:
    below = _plain(_packs(quantity, pack, ROUND_FLOOR))
    above = max(least, _plain(_packs(quantity, pack, ROUND_CEILING)))
    if below < least:
        return FirstPackError(pack=_plain(pack), above=above)
    return PackQuantityError(pack=_plain(pack), below=below, above=above)


def _packs(quantity: Decimal, pack: Decimal, rounding: str) -> Decimal:
    return (quantity / pack).to_integral_value(rounding) * pack


def _plain(value: Decimal) -> Decimal:
    """Return the same number without trailing zeros, fit to be read: 10, not 10.000 or 1E+1."""
    whole = value.to_integral_value()
    return Decimal(int(value)) if value == whole else value.normalize()


def local_name(name: str, names: Mapping[str, Any] | None, locale: str) -> str:
    """Return the name in a language (BCP 47), else in a related one, else the plain name.

    Readers of either Chinese script would rather read the other one than English.
    """
    if not names:
        return name
    language = locale.partition("-")[0]
    related = sorted(tag for tag in names if tag.partition("-")[0] == language)
    for tag in (locale, language, *related):
        if names.get(tag):
            return str(names[tag])
    return name


def parent_path(path: str) -> str | None:
    """Return the path of the category above, ``None`` for a root."""
    above, _slash, _last = path.rpartition("/")
    return above or None


def paths_to(path: str) -> tuple[str, ...]:
    """Return the paths from the root down to a category, itself included."""
    parts = path.split("/")
    return tuple("/".join(parts[: end + 1]) for end in range(len(parts)))
