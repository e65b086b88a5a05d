"""What orders tell quotes: what of each line is ordered, and by which; the application plugs in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


OrderedQuantities = Callable[[int], Mapping[int, Decimal]]
MadeOrders = Callable[[Actor, int], Sequence[MadeOrder]]


def _nothing(_quote_id: int) -> Mapping[int, Decimal]:
    return {}


def _none(_actor: Actor, _quote_id: int) -> Sequence[MadeOrder]:
    return ()


_hook: list[OrderedQuantities] = [_nothing]
_made: list[MadeOrders] = [_none]


def set_ordered_quantities_hook(hook: OrderedQuantities) -> None:
    """Name the function that knows the ordered quantity by line id of a quote."""
    _hook[0] = hook


def set_made_orders_hook(hook: MadeOrders) -> None:
    """Name the function that knows the orders of a quote, as far as an actor sees them."""
    _made[0] = hook


def ordered_quantities(quote_id: int) -> Mapping[int, Decimal]:
    """Return line id -> quantity that orders took; lines without orders may be missing."""
    return _hook[0](quote_id)


def made_orders(actor: Actor, quote_id: int) -> Sequence[MadeOrder]:
    """Return the orders made from a quote that the actor may see, the latest first."""
    return _made[0](actor, quote_id)
