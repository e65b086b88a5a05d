"""The reference of quotes: what must come of a command, and how things stand afterwards."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from tests.proofs.machine.model import (
    ENDING,
    ORDERABLE,
    REPEAT,
    VALID_DAYS,
    Command,
    Expected,
    Model,
    Refusals,
    Thing,
    current,
    end_of_day,
    freight_for,
    refused,
    sums,
)
from tests.proofs.machine.routes import route

REVISABLE: Final = (*ORDERABLE, "withdrawn", "rejected", "changes requested", "expired")


def _held(model: Model, c: Command, right: str) -> tuple[Thing, Refusals]:
    """Return a quote and why somebody may not do this to it; who can't see it learns no more."""
    quote = model.quotes[c.on]
    if not model.sees_quote(c.who, quote):
        return quote, {"QuoteNotFoundError"} | (
            set() if model.holds(c.who, right) else {"NotAllowedError"}
        )
    return quote, set() if model.may(c.who, right, quote) else {"NotAllowedError"}


def expect_create(model: Model, c: Command) -> Expected:
    return refused(set() if model.holds(c.who, "save") else {"NotAllowedError"})


def create(model: Model, c: Command, number: str) -> None:
    person = model.people[c.who]
    model.quotes[number] = {
        "number": number, "account": person["account"], "unit": person["unit"], "owner": c.who,
        "status": "draft", "revision": 1, "version": 1, "last_line": 0, "lines": {},
        "revisions": {1: _draft(c.who)}, "submitted": None,
    }  # fmt: skip


def _draft(who: str) -> Thing:
    return {"status": "draft", "requesters": {who}, "run": None, "holds_until": None}


def expect_add(model: Model, c: Command) -> Expected:
    quote, refusals = _held(model, c, "save")
    if any(quantity <= 0 for _sku, quantity in c["items"]):
        refusals.add("BadQuantityError")
    if "QuoteNotFoundError" not in refusals and quote["status"] != "draft":
        refusals.add("IllegalMoveError")
    return refused(refusals)


def add(model: Model, c: Command, _made: str) -> None:
    quote = model.quotes[c.on]
    for sku, quantity in c["items"]:
        line = next((each for each in quote["lines"].values() if each["sku"] == sku), None)
        if line is None:
            quote["last_line"] += 1
            line = {"sku": sku, "quantity": 0, "seen": None}
            quote["lines"][quote["last_line"]] = line
        line["quantity"] += quantity
        line["seen"] = model.price_of(quote, line)
    current(quote)["requesters"].add(c.who)
    quote["version"] += 1


def expect_save(  # noqa: PLR0911 - a list of reasons
    model: Model, c: Command
) -> Expected:
    """``quantity`` 0 takes the line away."""
    quote, refusals = _held(model, c, "save")
    if refusals:
        return refused(refusals)
    line = quote["lines"].get(c["line"])
    stands = line["quantity"] if line else 0
    if c["version"] != quote["version"]:
        if stands == c["quantity"] and quote["status"] == "draft":
            return REPEAT
        return refused({"DraftConflictError"})
    if quote["status"] != "draft":
        return refused({"IllegalMoveError"})
    if line is None or stands == c["quantity"]:  # a line that is gone can't be changed
        return REPEAT
    if c["quantity"] < model.taken(c.on, c["line"]):
        return refused({"BelowOrderedError"})
    return Expected()


def save(model: Model, c: Command, _made: str) -> None:
    quote = model.quotes[c.on]
    if c["quantity"]:
        line = quote["lines"][c["line"]]
        line["quantity"] = c["quantity"]
        line["seen"] = model.price_of(quote, line)
    else:
        del quote["lines"][c["line"]]
    current(quote)["requesters"].add(c.who)
    quote["version"] += 1


def expect_submit(  # noqa: C901, PLR0912 - a list of reasons
    model: Model, c: Command
) -> Expected:
    quote, refusals = _held(model, c, "submit")
    if refusals:
        return refused(refusals)
    if quote["submitted"] == c["version"]:
        return REPEAT
    if quote["status"] != "draft":
        refusals.add("IllegalMoveError")
    if quote["version"] != c["version"]:
        refusals.add("DraftConflictError")
    if refusals:
        return refused(refusals)
    lines = quote["lines"]
    prices = {key: model.price_of(quote, line) for key, line in lines.items()}
    if not lines:
        refusals.add("NoLinesError")
    if None in prices.values():
        refusals.add("NotSubmittableError")
    accepted = dict(c["accepted"])
    if any(
        line["seen"] != prices[key] and accepted.get(key) != prices[key]
        for key, line in lines.items()
    ):
        refusals.add("PricesMovedError")
    if c["shown"] is not None and c["shown"] != model.totals(quote)["net"]:
        refusals.add("TotalMovedError")
    requesters = current(quote)["requesters"] | {c.who}
    if not refusals and route(model, quote, c.who, requesters) is None:
        refusals.add("DeadEndError")
    return refused(refusals)


def submit(model: Model, c: Command, _made: str) -> None:
    quote = model.quotes[c.on]
    frozen = current(quote)
    frozen["requesters"].add(c.who)
    steps = route(model, quote, c.who, frozen["requesters"]) or []
    until = end_of_day(model.now, VALID_DAYS)
    frozen["lines"] = {}
    for key, line in quote["lines"].items():
        price = model.price_of(quote, line) or Decimal(0)
        frozen["lines"][key] = {**line, "price": price, "total": price * line["quantity"]}
        line["seen"] = price
    lines = sum((line["total"] for line in frozen["lines"].values()), Decimal(0))
    frozen.update(sums(lines, freight_for(lines)), holds_until=until)
    frozen["run"] = {
        "state": "open" if steps else "approved", "steps": steps, "votes": [],
        "requesters": set(frozen["requesters"]), "total": frozen["net"],
        "signing": bool(steps) and quote["account"] == "ACME" and model.policy == "signed",
    }  # fmt: skip
    quote["submitted"] = quote["version"]
    model.set_status(quote, "in approval")
    if not steps:
        model.approve(quote)


def expect_withdraw(model: Model, c: Command) -> Expected:
    quote, refusals = _held(model, c, "submit")
    if refusals:
        return refused(refusals)
    if c["revision"] != quote["revision"]:
        return refused({"RevisionPassedError"})
    if quote["status"] == "withdrawn":
        return REPEAT
    return refused(set() if quote["status"] == "in approval" else {"IllegalMoveError"})


def withdraw(model: Model, c: Command, _made: str) -> None:
    quote = model.quotes[c.on]
    current(quote)["run"]["state"] = "withdrawn"
    model.set_status(quote, "withdrawn")


def expect_revise(model: Model, c: Command) -> Expected:
    quote, refusals = _held(model, c, "save")
    if refusals:
        return refused(refusals)
    if quote["revision"] == c["revision"] + 1 and quote["status"] == "draft":
        return REPEAT
    if c["revision"] != quote["revision"]:
        return refused({"RevisionPassedError"})
    return refused(set() if quote["status"] in REVISABLE else {"IllegalMoveError"})


def revise(model: Model, c: Command, _made: str) -> None:
    quote = model.quotes[c.on]
    before = current(quote)
    if before["status"] in ORDERABLE:
        before["status"] = "superseded"
    quote["revision"] += 1
    quote["revisions"][quote["revision"]] = _draft(c.who)
    quote["submitted"] = None
    quote["status"] = "draft"
    quote["version"] += 1
    for key, line in quote["lines"].items():
        line["quantity"] = max(line["quantity"], model.taken(c.on, key))


def expect_discard(model: Model, c: Command) -> Expected:
    quote, refusals = _held(model, c, "save")
    if refusals:
        return refused(refusals)
    if quote["status"] == "discarded":
        return REPEAT
    if quote["status"] != "draft":
        refusals.add("IllegalMoveError")
    if quote["version"] != c["version"]:
        refusals.add("DraftConflictError")
    return refused(refusals)


def discard(model: Model, c: Command, _made: str) -> None:
    model.set_status(model.quotes[c.on], "discarded")


def expect_extend(model: Model, c: Command) -> Expected:
    quote, refusals = _held(model, c, "extend")
    if refusals:
        return refused(refusals)
    if c["revision"] != quote["revision"]:
        refusals.add("ExtendedMeanwhileError")
    if quote["status"] not in ENDING:
        return refused(refusals | {"IllegalMoveError"})
    until = current(quote)["holds_until"]
    if model.now >= until:
        refusals.add("EndedError")
    if c["until"] <= until:
        refusals.add("NotLongerError")
    return refused(refusals)


def extend(model: Model, c: Command, _made: str) -> None:
    quote = model.quotes[c.on]
    current(quote)["holds_until"] = c["until"]
    quote["version"] += 1


def day_after(until_of: Any, days: int) -> Any:  # noqa: ANN401 - an instant
    """Return the end of a day so many days after an end."""
    return end_of_day(until_of - timedelta(microseconds=1), days)


EXPECT: Final[Mapping[str, Callable[[Model, Command], Expected]]] = {
    "create": expect_create, "add": expect_add, "save": expect_save, "submit": expect_submit,
    "withdraw": expect_withdraw, "revise": expect_revise, "discard": expect_discard,
    "extend": expect_extend,
}  # fmt: skip
APPLY: Final[Mapping[str, Callable[[Model, Command, str], None]]] = {
    "create": create, "add": add, "save": save, "submit": submit, "withdraw": withdraw,
    "revise": revise, "discard": discard, "extend": extend,
}  # fmt: skip
