"""Shipping: goods leave in parts, in packages, with a carrier and serial numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from portal.db import db, next_number, transaction
from portal.errors import N_, ConflictError, InvalidError
from portal.orders.acting import (
    digest_of,
    lines_by_id,
    locked,
    must_own,
    plain,
    plain_day,
    record_order,
    tell_order,
    today_of,
)
from portal.orders.cancelling import end_request, note_standing
from portal.orders.carriers import CARRIERS
from portal.orders.fulfilment import Shipment, ShipmentLine, ShipmentPackage, ShipmentSerial
from portal.orders.models import Order, OrderLine
from portal.orders.progress import Packed, check_packed, progress_of
from portal.orders.rules import Move, OrderStatus
from portal.orders.stocking import issue_shipped
from portal.policy import Actor

MOST_PACKAGES = 99


class UnknownCarrierError(InvalidError):
    """The carrier is not one of the list."""

    message = N_("Choose a carrier from the list.")
    field = "carrier"


class PackagesError(InvalidError):
    """A shipment has packages, but not without end."""

    message = N_(
        "Enter the weight of each package in kilograms, or how many there are (1 to {most})."
    )
    field = "packages"


class SerialKnownError(ConflictError):
    """A piece is shipped once to an account."""

    message = N_("Serial number {serial} was shipped before.")


class ShipmentKeyError(ConflictError):
    """The same form was sent twice with different content."""

    message = N_("This form was already used for shipment {number}. Open the order again.")


class TwoPlacesError(InvalidError):
    """A shipment goes to one address."""

    message = N_("These lines go to different addresses ({places}). Ship them separately.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is said of a shipment besides its lines.

    ``weights`` has one entry per package in kilograms, ``None`` where nobody weighed it.
    """

    carrier: str = "other"
    tracking_number: str = ""
    weights: tuple[Decimal | None, ...] = (None,)
    expected_on: date | None = None


def ship_order(
    actor: Actor,
    number: str,
    packed: Mapping[int, Packed],
    parcel: Parcel,
    *,
    key: str,
    now: datetime,
) -> Shipment:
    """Ship lines of a confirmed order, whole or in part; the same form sent again answers the same.

    Args:
        packed: By order line id; lines left out stay.
        key: One per form.

    Raises:
        OrderNotFoundError, NotAllowedError, IllegalMoveError: See `Move`.
        NothingToShipError, NotToShipError, SerialCountError, SerialTwiceError, SerialKnownError,
        TwoPlacesError, UnknownCarrierError, PackagesError, UnknownOrderLineError: By the form.
        ShipmentKeyError: The key came before with other content.
        NotEnoughStockError: There is less on hand; then nothing leaves.
    """
    chosen = {line: item for line, item in packed.items() if item.quantity}
    with transaction():
        order = locked(actor, number)
        must_own(actor, order, Move.SHIP)
        digest = digest_of({"order": number, "lines": chosen, "parcel": parcel})
        known = _find_by_key(order.account_id, key)
        if known is not None:
            if known.digest != digest:
                raise ShipmentKeyError(number=known.number)
            return known
        Move.SHIP.check(order.status, actor, order.number)
        lines = lines_by_id(order, chosen)
        _check(order, lines, chosen, parcel)
        shipment = _make(order, chosen, parcel, now)
        shipment.key, shipment.digest = key, digest
        db.session.add(shipment)
        issue_shipped(
            actor, order, {lines[each]: item.quantity for each, item in chosen.items()}, now=now
        )
        _move_on(actor, order, {lines[each]: item for each, item in chosen.items()}, now)
        db.session.flush()
        _tell(actor, order, shipment, lines, now)
    return shipment


def _check(
    order: Order, lines: Mapping[int, OrderLine], chosen: Mapping[int, Packed], parcel: Parcel
) -> None:
    check_packed(
        chosen,
        {key: line.position for key, line in lines.items()},
        {key: line.counts for key, line in lines.items()},
    )
    if parcel.carrier not in CARRIERS:
        raise UnknownCarrierError
    weights = parcel.weights
    if not 1 <= len(weights) <= MOST_PACKAGES or any(w is not None and w <= 0 for w in weights):
        raise PackagesError(most=MOST_PACKAGES)
    places = {lines[key].ship_to for key in chosen}
    if len(places) > 1:
        raise TwoPlacesError(places=", ".join(sorted(places)))
    serials = [serial for item in chosen.values() for serial in item.serial_numbers]
    statement = select(ShipmentSerial.serial_number).where(
        ShipmentSerial.account_id == order.account_id, ShipmentSerial.serial_number.in_(serials)
    )
    known = db.session.scalar(statement.limit(1)) if serials else None
    if known is not None:
        raise SerialKnownError(serial=known)


def _make(order: Order, chosen: Mapping[int, Packed], parcel: Parcel, now: datetime) -> Shipment:
    account_id = order.account_id
    return Shipment(
        account_id=account_id,
        order_id=order.id,
        number=next_number("shipment", "S"),
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        shipped_at=now,
        expected_on=parcel.expected_on,
        packages=[
            ShipmentPackage(account_id=account_id, number=position, weight_kg=weight)
            for position, weight in enumerate(parcel.weights, start=1)
        ],
        lines=[
            ShipmentLine(
                account_id=account_id,
                order_line_id=key,
                quantity=item.quantity,
                serials=[
                    ShipmentSerial(account_id=account_id, serial_number=serial)
                    for serial in item.serial_numbers
                ],
            )
            for key, item in chosen.items()
        ],
    )


def _move_on(actor: Actor, order: Order, packed: Mapping[OrderLine, Packed], now: datetime) -> None:
    """Count what left; back-orders shrink to what is left, and the state follows."""
    for line, item in packed.items():
        line.shipped += item.quantity
        line.backordered = min(line.backordered, line.to_ship)
        if not line.backordered:
            line.backorder_on = None
        if not line.to_ship:
            line.shipped_on = today_of(order, now)
    order.status = progress_of(order.counts)
    note_standing(order, now)
    if order.status is OrderStatus.SHIPPED:
        end_request(actor, order, "", now)


def _tell(
    actor: Actor,
    order: Order,
    shipment: Shipment,
    lines: Mapping[int, OrderLine],
    now: datetime,
) -> None:
    rows: list[dict[str, Any]] = [
        {
            "position": lines[item.order_line_id].position,
            "sku": lines[item.order_line_id].sku,
            "quantity": plain(item.quantity),
        }
        for item in shipment.lines
    ]
    record_order(
        actor,
        order,
        "order.shipped",
        now,
        shipment=shipment.number,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        expected_on=plain_day(shipment.expected_on),
        lines=rows,
    )
    names = [lines[item.order_line_id].name for item in shipment.lines]
    tell_order(
        order,
        "order_shipped",
        now,
        reason="",
        shipment=shipment.number,
        carrier=shipment.carrier_name,
        tracking_number=shipment.tracking_number,
        tracking_url=shipment.tracking_url,
        expected_on=plain_day(shipment.expected_on),
        is_last=order.status is OrderStatus.SHIPPED,
        packages=len(shipment.packages),
        shipped=[row | {"name": name} for row, name in zip(rows, names, strict=True)],
    )


def _find_by_key(account_id: int, key: str) -> Shipment | None:
    statement = select(Shipment).where(Shipment.account_id == account_id, Shipment.key == key)
    return db.session.scalar(statement)
