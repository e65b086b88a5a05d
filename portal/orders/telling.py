"""The time line of an order in words: what was promised, what moved and why, what left."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from flask_babel import gettext as _

from portal.orders.carriers import name_of
from portal.web.formats import day, quantity
from portal.web.timeline import Happening, TimelineEntry

MOST: Final = 6
"""So many lines are told in one entry; an ellipsis stands for the rest."""

Data = Mapping[str, Any]


def told(entries: Iterable[TimelineEntry], events: Iterable[Happening]) -> list[TimelineEntry]:
    """Add to each entry what its event says: days, quantities, reasons."""
    return [
        replace(
            entry,
            label=_label(entry, event),
            detail=detail_of(event),
            tone=_TONES.get(event.verb, entry.tone),
        )
        for entry, event in zip(entries, events, strict=True)
    ]


def _label(entry: TimelineEntry, event: Happening) -> str:
    """Return what happened; who accepts a change confirms the order in the supplier's place."""
    if event.verb == "order.confirmed" and event.data.get("accepted"):
        return _("Order confirmed as changed")
    return entry.label


def detail_of(event: Happening) -> str:
    """Return what an event of an order says besides its verb."""
    sentence = _DETAILS.get(event.verb)
    parts = list(sentence(event.data)) if sentence else []
    reason = event.data.get("reason") if event.verb in _REASONED else ""
    return "\n".join([*_few(parts), *([str(reason)] if reason else [])])


def _few(parts: list[str]) -> list[str]:
    return parts if len(parts) <= MOST else [*parts[:MOST], "…"]


def _day(text: str | None) -> str:
    return day(None if text is None else date.fromisoformat(text))


def _number(text: str) -> str:
    return quantity(Decimal(text))


def _promise(line: Data) -> str:
    if line.get("backordered"):
        return _(
            "Line %(position)s, %(sku)s: %(day)s; %(quantity)s on back-order until %(later)s",
            position=line["position"],
            sku=line["sku"],
            day=_day(line["promised_on"]),
            quantity=_number(line["backordered"]),
            later=_day(line["backorder_on"]),
        )
    return _(
        "Line %(position)s, %(sku)s: promised for %(day)s",
        position=line["position"],
        sku=line["sku"],
        day=_day(line["promised_on"]),
    )


def _confirmed(data: Data) -> Iterable[str]:
    return [_promise(line) for line in data.get("lines", [])]


def _promised(data: Data) -> Iterable[str]:
    return [
        _(
            "Line %(position)s, %(sku)s: %(old)s → %(new)s",
            position=change["after"]["position"],
            sku=change["after"]["sku"],
            old=_last(change["before"]),
            new=_last(change["after"]),
        )
        for change in data["changes"]
    ]


def _last(line: Data) -> str:
    """Return the day by which all of a line is promised."""
    return _day(line["backorder_on"] if line["backordered"] else line["promised_on"])


def _proposed(data: Data) -> Iterable[str]:
    for line in data["changes"]:
        if line["substitute"]:
            yield _(
                "Line %(position)s: %(quantity)s × %(new)s in place of %(old)s",
                position=line["position"],
                quantity=_number(line["quantity"]),
                new=line["substitute"],
                old=line["sku"],
            )
        elif line["quantity"] != line["ordered"]:
            yield _(
                "Line %(position)s, %(sku)s: %(new)s instead of %(old)s",
                position=line["position"],
                sku=line["sku"],
                old=_number(line["ordered"]),
                new=_number(line["quantity"]),
            )
        if Decimal(line["quantity"]):
            yield _promise(line)


def _accepted(data: Data) -> Iterable[str]:
    if data.get("quote"):
        yield _(
            "What was not approved is on the next revision of quote %(number)s.",
            number=data["quote"],
        )


def _shipped(data: Data) -> Iterable[str]:
    yield _(
        "Shipment %(number)s, %(carrier)s %(tracking)s",
        number=data["shipment"],
        carrier=_(name_of(data["carrier"])),
        tracking=data["tracking_number"],
    )
    if data.get("expected_on"):
        yield _("Expected on %(day)s", day=_day(data["expected_on"]))
    yield from _quantities(data)


def _delivered(data: Data) -> Iterable[str]:
    yield _(
        "Shipment %(number)s, arrived on %(day)s",
        number=data["shipment"],
        day=_day(data["delivered_on"]),
    )


def _quantities(data: Data) -> Iterable[str]:
    return [
        _(
            "Line %(position)s, %(sku)s: %(quantity)s",
            position=line["position"],
            sku=line["sku"],
            quantity=_number(line["quantity"]),
        )
        for line in data.get("lines", [])
    ]


def _late(data: Data) -> Iterable[str]:
    return [
        _(
            "Line %(position)s, %(sku)s: %(quantity)s were promised for %(day)s",
            position=line["position"],
            sku=line["sku"],
            quantity=_number(line["quantity"]),
            day=_day(line["due_on"]),
        )
        for line in data["lines"]
    ]


_DETAILS: Final[Mapping[str, Callable[[Data], Iterable[str]]]] = {
    "order.confirmed": _confirmed,
    "order.promised": _promised,
    "order.change-proposed": _proposed,
    "order.change-accepted": _accepted,
    "order.shipped": _shipped,
    "order.delivered": _delivered,
    "order.late": _late,
    "order.cancellation-requested": _quantities,
    "order.cancellation-agreed": _quantities,
}

_REASONED: Final = frozenset(
    {
        "order.change-accepted",
        "order.change-proposed",
        "order.change-refused",
        "order.promised",
        "order.cancellation-requested",
        "order.cancellation-agreed",
        "order.cancellation-refused",
    }
)

_TONES: Final[Mapping[str, str]] = {
    "order.late": "bad",
    "order.promised": "warn",
    "order.change-proposed": "warn",
    "order.change-refused": "bad",
    "order.cancellation-requested": "warn",
    "order.cancellation-refused": "bad",
    "order.cancelled": "bad",
    "order.declined": "bad",
}
