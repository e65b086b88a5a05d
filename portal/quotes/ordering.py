"""What orders tell quotes: what of each line is ordered, and by which; the application plugs in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from portal.policy import Actor


@dataclass(frozen=True, slots=True)
class MadeOrder:
    """An order made from a quote, as the quote's page lists it; ``label`` is the marked state."""

    number: str
    label: str
    tone: str
    purchase_order_number: str
    placed_at: datetime | None
    net_total: Decimal


@dataclass(frozen=True, slots=True)
class Ordered:
    """What became of a quote: its orders as far as somebody sees them, and what all of them took.

    ``quantities`` are by line id; lines without orders may be missing. ``orders`` begin with the
    latest.
    """

    quantities: Mapping[int, Decimal] = field(default_factory=dict)
    orders: Sequence[MadeOrder] = ()


OrderedQuantities = Callable[[int], Mapping[int, Decimal]]
OrderedOf = Callable[[Actor, int], Ordered]


def _nothing(_quote_id: int) -> Mapping[int, Decimal]:
    return {}


def _none(_actor: Actor, _quote_id: int) -> Ordered:
    return Ordered()


_hook: list[OrderedQuantities] = [_nothing]
_ordered: list[OrderedOf] = [_none]


def set_ordered_quantities_hook(hook: OrderedQuantities) -> None:
    """Name the function that knows the ordered quantity by line id of a quote."""
    _hook[0] = hook


def set_ordered_of_hook(hook: OrderedOf) -> None:
    """Name the function that knows both of a quote's page in one statement."""
    _ordered[0] = hook


def ordered_quantities(quote_id: int) -> Mapping[int, Decimal]:
    """Return line id -> quantity that orders took; lines without orders may be missing."""
    return _hook[0](quote_id)


def ordered_of(actor: Actor, quote_id: int) -> Ordered:
    """Return the orders of a quote that the actor may see, and what all of its orders took."""
    return _ordered[0](actor, quote_id)
