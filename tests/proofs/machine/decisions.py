"""The reference of approvals, people, policies and prices: what must come of a command."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.proofs.machine.model import (
    REPEAT,
    Command,
    Expected,
    Model,
    Thing,
    current,
    refused,
)
from tests.proofs.machine.routes import has_lost_role, step_for, waiting

Breaks = tuple[tuple[int, str], ...]
ENDS: Final = {"reject": "rejected", "request-changes": "changes requested"}


def run_of(model: Model, c: Command) -> tuple[Thing, Thing]:
    quote = model.quotes[c.on]
    return quote, quote["revisions"][c["revision"]]["run"]


def expect_decide(  # noqa: C901, PLR0911, PLR0912 - read from top to bottom, as a list of reasons
    model: Model, c: Command
) -> Expected:
    quote, run = run_of(model, c)
    if model.people[c.who]["account"] == "NORTH":  # customers alone approve their requests
        return refused({"NotAllowedError"})
    if not model.sees_run(c.who, quote, run):
        return refused({"RunNotFoundError"})
    refusals = set()
    if c.who in run["requesters"]:
        refusals.add("OwnRequestError")
    if not any(c.who in step["people"] for step in run["steps"]):
        refusals.add("NotNamedError")
    if refusals:
        return refused(refusals)
    has_answered = any(name == c.who for _where, name, _answer in run["votes"])
    place = step_for(model, run, c.who) if run["state"] == "open" else None
    if has_answered and place is None:
        return REPEAT
    if not c["is_fresh"]:
        refusals.add("OutdatedRevisionError")
    if run["state"] != "open":
        is_newer = any(
            number > c["revision"] and each["run"] for number, each in quote["revisions"].items()
        )
        return refused(refusals | {"OutdatedRevisionError" if is_newer else "RunEndedError"})
    if model.now >= current(quote)["holds_until"]:
        refusals.add("RunExpiredError")
    if place is None:
        return refused(refusals | {"NotYourTurnError"})
    if has_lost_role(model, run["steps"][place], c.who):
        refusals.add("RightsGoneError")
    if c["answer"] != "approve" and not c["comment"]:
        refusals.add("CommentMissingError")
    return refused(refusals)


def decide(model: Model, c: Command, _made: str) -> None:
    quote, run = run_of(model, c)
    run["votes"].append((step_for(model, run, c.who), c.who, c["answer"]))
    if c["answer"] != "approve":
        run["state"] = ENDS[c["answer"]]
        model.set_status(quote, run["state"])
    elif not waiting(model, run):
        run["state"] = "approved"
        model.approve(quote)


def expect_expire(model: Model, _c: Command) -> Expected:
    return Expected(is_repeat=not model.over())


def expire(model: Model, _c: Command, _made: str) -> None:
    model.expire()


# --- people ---------------------------------------------------------------------------------------


def expect_change(model: Model, c: Command) -> Expected:
    """``seen`` are roles, unit and standing as the administrator's page showed them."""
    person = model.people[c.on]
    if model.people[c.who]["account"] != person["account"]:
        return refused({"NotFoundError"})
    if "site-administrator" not in model.people[c.who]["roles"]:
        return refused({"NotFoundError", "NotAllowedError"})
    if c.who == c.on:
        return refused({"OwnRightsError"})
    roles, unit, standing = c["seen"]
    if (roles, unit, standing) != standing_of(person):
        return refused({"ChangedMeanwhileError"})
    return REPEAT if (c["roles"], c["unit"]) == (roles, unit) else Expected()


def standing_of(person: Thing) -> tuple[frozenset[str], str, bool]:
    return person["roles"], person["unit"], person["is_member"]


def change(model: Model, c: Command, _made: str) -> None:
    model.people[c.on]["roles"], model.people[c.on]["unit"] = c["roles"], c["unit"]


def expect_suspend(model: Model, c: Command) -> Expected:
    person = model.people[c.on]
    if c["whole"]:  # the person in every account, by the operator
        return refused(set() if person["is_person"] != c["back"] else {"WrongStateError"})
    if model.people[c.who]["account"] != person["account"]:
        return refused({"NotFoundError"})
    if "site-administrator" not in model.people[c.who]["roles"]:
        return refused({"NotFoundError", "NotAllowedError"})
    if c.who == c.on:
        return refused({"OwnRightsError"})
    return refused(set() if person["is_member"] != c["back"] else {"WrongStateError"})


def suspend(model: Model, c: Command, _made: str) -> None:
    model.people[c.on]["is_person" if c["whole"] else "is_member"] = c["back"]


# --- policies and prices --------------------------------------------------------------------------


def expect_policy(model: Model, c: Command) -> Expected:
    if "site-administrator" not in model.people[c.who]["roles"]:
        return refused({"NotAllowedError"})
    if model.people[c.who]["account"] != "ACME":
        return refused({"refused"})
    return REPEAT if c["policy"] == model.policy else Expected()


def policy(model: Model, c: Command, _made: str) -> None:
    model.policy = c["policy"]


def expect_publish(model: Model, c: Command) -> Expected:
    if "pricing-manager" not in model.people[c.who]["roles"]:
        return refused({"NotAllowedError"})
    _since, entries = model.prices[c["list"]][-1]
    return refused({"NoDraftError"} if entries.get(c["sku"]) == _merged(entries, c) else set())


def _merged(entries: Mapping[str, Breaks], c: Command) -> Breaks:
    """Return the breaks of a product after a file that names some of them."""
    return tuple(sorted({**dict(entries.get(c["sku"], ())), **dict(c["breaks"])}.items()))


def publish(model: Model, c: Command, _made: str) -> None:
    _since, entries = model.prices[c["list"]][-1]
    model.prices[c["list"]].append((model.now, {**entries, c["sku"]: _merged(entries, c)}))


def expect_assign(model: Model, c: Command) -> Expected:
    if "pricing-manager" not in model.people[c.who]["roles"]:
        return refused({"NotAllowedError"})
    return Expected(is_repeat=model.deal_for[-1][1] == c.on)


def assign(model: Model, c: Command, _made: str) -> None:
    model.deal_for.append((model.now, c.on))


EXPECT: Final[Mapping[str, Callable[[Model, Command], Expected]]] = {
    "decide": expect_decide, "expire": expect_expire, "change": expect_change,
    "suspend": expect_suspend, "policy": expect_policy, "publish": expect_publish,
    "assign": expect_assign,
}  # fmt: skip
APPLY: Final[Mapping[str, Callable[[Model, Command, str], None]]] = {
    "decide": decide, "expire": expire, "change": change, "suspend": suspend, "policy": policy,
    "publish": publish, "assign": assign,
}  # fmt: skip
