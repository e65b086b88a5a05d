"""The reference of orders: the ledger of each line, and how far an order may go."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from tests.proofs.machine.model import (
    ORDERABLE,
    REPEAT,
    Command,
    Expected,
    Model,
    Refusals,
    Thing,
    current,
    refused,
    sums,
)

UNANSWERED: Final = ("placed", "change proposed")
TO_SHIP: Final = ("confirmed", "partly shipped")


def expect_convert(  # noqa: C901, PLR0912 - a list of reasons
    model: Model, c: Command
) -> Expected:
    quote = model.quotes[c.on]
    if not model.sees_quote(c.who, quote):
        return refused({"QuoteNotFoundError"})
    for order in model.orders.values():
        if order["account"] == quote["account"] and order["conversion"][0] == c["key"]:
            is_same = order["conversion"] == (c["key"], c.who, c.on, c["quantities"])
            return REPEAT if is_same else refused({"KeyReusedError"})
    refusals: Refusals = set()
    if not model.may(c.who, "convert", quote):
        refusals.add("NotAllowedError")
    refusals |= _unproven(model, quote, quote["revision"])
    if quote["status"] not in ORDERABLE:
        return refused(refusals | {"IllegalMoveError"})
    lines = current(quote)["lines"]
    wanted = dict(c["quantities"])
    if set(wanted) - set(lines):
        return refused(refusals | {"UnknownLineError"})
    if not any(wanted.values()):
        refusals.add("NothingChosenError")
    for key, quantity in wanted.items():
        if quantity < 0:
            refusals.add("WholeNumberError")
        if quantity > max(lines[key]["quantity"] - model.taken(c.on, key), 0):
            refusals.add("QuantityNotOpenError")
    return refused(refusals)


def _unproven(model: Model, quote: Thing, revision: int) -> Refusals:
    """Return why a revision can't be ordered from now."""
    refusals = set()
    frozen = quote["revisions"][revision]
    if quote["revision"] != revision:
        refusals.add("SupersededError")
    alive = {*ORDERABLE, "ordered"}
    if quote["status"] not in alive or frozen["status"] not in alive:
        refusals.add("NotApprovedError")
    if frozen["holds_until"] is not None and frozen["holds_until"] <= model.now:
        refusals.add("QuoteExpiredError")
    return refusals


def convert(model: Model, c: Command, number: str) -> None:
    quote = model.quotes[c.on]
    frozen = current(quote)
    is_charged = model.is_freight_charged(c.on)
    model.orders[number] = {
        "number": number, "account": quote["account"], "unit": quote["unit"], "owner": c.who,
        "quote": c.on, "revision": quote["revision"], "status": "draft", "po": "",
        "freight": Decimal(0) if is_charged else frozen["freight"],
        "conversion": (c["key"], c.who, c.on, c["quantities"]), "placing": None,
        "lines": {
            key: {"quantity": quantity, "price": frozen["lines"][key]["price"], "shipped": 0}
            for key, quantity in c["quantities"]
            if quantity
        },
        "shipments": {},
    }  # fmt: skip
    status = model.by_ledger(quote)
    if status != quote["status"]:
        model.set_status(quote, status)


def figures(order: Thing) -> Thing:
    """Return what an order comes to."""
    lines = sum((each["price"] * each["quantity"] for each in order["lines"].values()), Decimal(0))
    return sums(lines, order["freight"])


def _held(model: Model, c: Command, right: str) -> tuple[Thing, Refusals]:
    order = model.orders[c.on]
    if not model.sees_order(c.who, order):
        return order, {"OrderNotFoundError"}
    return order, set() if model.may(c.who, right, order) else {"NotAllowedError"}


def expect_place(model: Model, c: Command) -> Expected:
    order, refusals = _held(model, c, "place")
    if refusals:
        return refused(refusals)
    if order["placing"] == (c["key"], c["po"]):
        return REPEAT
    if order["status"] != "draft":
        return refused({"IllegalMoveError"})
    for other in model.orders.values():
        if other is not order and other["account"] == order["account"]:
            if other["placing"] and other["placing"][0] == c["key"]:
                refusals.add("KeyReusedError")
            lives = other["status"] not in {"draft", "discarded", "cancelled", "declined"}
            if c["po"] and other["po"] == c["po"] and lives:
                refusals.add("PurchaseOrderDoubleError")
    quote = model.quotes[order["quote"]]
    return refused(refusals | _unproven(model, quote, order["revision"]))


def place(model: Model, c: Command, _made: str) -> None:
    order = model.orders[c.on]
    order.update(status="placed", po=c["po"], placing=(c["key"], c["po"]))
    model.settle_freight(order["quote"])


def _expect_end(sources: tuple[str, ...], right: str) -> Callable[[Model, Command], Expected]:
    def expect(model: Model, c: Command) -> Expected:
        order, refusals = _held(model, c, right)
        if c.do == "decline" and not c["reason"]:
            refusals.add("ReasonNeededError")
        if not refusals - {"ReasonNeededError"} and order["status"] not in sources:
            refusals.add("IllegalMoveError")
        return refused(refusals)

    return expect


def _end(status: str) -> Callable[[Model, Command, str], None]:
    def end(model: Model, c: Command, _made: str) -> None:
        order = model.orders[c.on]
        order["status"] = status
        model.give_back(model.quotes[order["quote"]])

    return end


def expect_confirm(model: Model, c: Command) -> Expected:
    order, refusals = _held(model, c, "confirm")
    if not refusals and order["status"] != "placed":
        refusals.add("IllegalMoveError")
    return refused(refusals)


def confirm(model: Model, c: Command, _made: str) -> None:
    model.orders[c.on]["status"] = "confirmed"


def expect_ship(model: Model, c: Command) -> Expected:
    order, refusals = _held(model, c, "ship")
    if refusals:
        return refused(refusals)
    for other in model.orders.values():
        if other["account"] == order["account"] and c["key"] in other["shipments"]:
            is_same = other is order and order["shipments"][c["key"]] == c["quantities"]
            return REPEAT if is_same else refused({"ShipmentKeyError"})
    if order["status"] not in TO_SHIP:
        return refused({"IllegalMoveError"})
    if not any(quantity for _key, quantity in c["quantities"]):
        refusals.add("NothingToShipError")
    for key, quantity in c["quantities"]:
        line = order["lines"][key]
        if quantity > line["quantity"] - line["shipped"]:
            refusals.add("NotToShipError")
    return refused(refusals)


def ship(model: Model, c: Command, _made: str) -> None:
    order = model.orders[c.on]
    order["shipments"][c["key"]] = c["quantities"]
    for key, quantity in c["quantities"]:
        order["lines"][key]["shipped"] += quantity
    is_all = all(line["shipped"] == line["quantity"] for line in order["lines"].values())
    order["status"] = "shipped" if is_all else "partly shipped"


EXPECT: Final[Mapping[str, Callable[[Model, Command], Expected]]] = {
    "convert": expect_convert, "place": expect_place,
    "discard-order": _expect_end(("draft",), "place"),
    "cancel": _expect_end(UNANSWERED, "cancel"),
    "decline": _expect_end(UNANSWERED, "decline"), "confirm": expect_confirm, "ship": expect_ship,
}  # fmt: skip
APPLY: Final[Mapping[str, Callable[[Model, Command, str], None]]] = {
    "convert": convert, "place": place, "discard-order": _end("discarded"),
    "cancel": _end("cancelled"), "decline": _end("declined"), "confirm": confirm, "ship": ship,
}  # fmt: skip
