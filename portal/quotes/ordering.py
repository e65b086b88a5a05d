"""What orders tell quotes: how much of each line is ordered; plugged in by the application."""

from collections.abc import Callable, Mapping
from decimal import Decimal

OrderedQuantities = Callable[[int], Mapping[int, Decimal]]


def _nothing(_quote_id: int) -> Mapping[int, Decimal]:
    return {}


_hook: list[OrderedQuantities] = [_nothing]


def set_ordered_quantities_hook(hook: OrderedQuantities) -> None:
    """Name the function that knows the ordered quantity by line id of a quote."""
    _hook[0] = hook


def ordered_quantities(quote_id: int) -> Mapping[int, Decimal]:
    """Return line id -> quantity that orders took; lines without orders may be missing."""
    return _hook[0](quote_id)
