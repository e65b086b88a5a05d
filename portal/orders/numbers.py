"""Finding orders by any of their numbers: own, quote, purchase order, tracking, serial."""

from typing import Final

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.containing import contains
from portal.orders.fulfilment import Shipment, ShipmentLine, ShipmentSerial
from portal.orders.models import Order
from portal.quotes.models import Quote

PART_OF_SERIAL: Final = 4
"""From how many characters on a text is looked for in serial numbers."""


def has_number(wanted: str, account_id: int | None = None) -> ColumnElement[bool]:
    """Keep the orders one of whose numbers contains ``wanted``, without regard to case.

    Serial numbers count from a few characters on: a shorter text is in nearly all of them. Quotes
    and shipments are read once for all orders, not for each.

    Args:
        wanted: A text that is not empty.
        account_id: The one account whose orders are looked at, where it is one.
    """

    def of_account(column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
        return true() if account_id is None else column == account_id

    quoted = select(Quote.id).where(of_account(Quote.account_id), contains(Quote.number, wanted))
    tracked = select(Shipment.order_id).where(
        of_account(Shipment.account_id), contains(Shipment.tracking_number, wanted)
    )
    shipped = (
        select(Shipment.order_id)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .join(ShipmentSerial, ShipmentSerial.shipment_line_id == ShipmentLine.id)
        .where(
            of_account(ShipmentSerial.account_id),
            contains(ShipmentSerial.serial_number, wanted),
        )
    )
    return or_(
        contains(Order.number, wanted),
        contains(Order.purchase_order_number, wanted),
        Order.quote_id.in_(quoted),
        Order.id.in_(tracked),
        Order.id.in_(shipped) if len(wanted) >= PART_OF_SERIAL else false(),
    )
