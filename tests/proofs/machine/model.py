"""The reference: people, rights, prices, quotes and orders as plain dictionaries.

It is written from what the portal promises in words and shares no code with it. `expected` of the
files beside it says what must come of a command, `Model` holds how things stand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.proofs.machine.world import (
    BEGINNING,
    FIRST_POLICY,
    FIRST_PRICES,
    FREIGHT,
    MANAGED,
    PEOPLE,
    TAX_PERCENT,
    UNITS,
)

Thing = dict[str, Any]
Refusals = set[str]

BERLIN: Final = ZoneInfo("Europe/Berlin")
VALID_DAYS: Final = 5
CENT: Final = Decimal("0.01")
ORDERABLE: Final = ("approved", "partly ordered")
ENDING: Final = ("in approval", "approved", "partly ordered")
NEVER_CAME: Final = ("discarded", "cancelled", "declined")

READS: Final = {
    "viewer": "unit", "shopper": "own", "buyer": "unit", "site-buyer": "account",
    "approver": "unit", "site-administrator": "account", "account-manager": "assigned",
    "order-desk": "all",
}  # fmt: skip
"""How far a role sees quotes and orders."""
SHOPS: Final = frozenset({"save", "submit"})
BUYS: Final = SHOPS | {"convert", "place", "cancel"}
DOES: Final = {
    "shopper": (SHOPS, "own"), "buyer": (BUYS, "own"), "site-buyer": (BUYS, "account"),
    "order-desk": (frozenset({"confirm", "decline", "ship"}), "all"),
    "account-manager": (frozenset({"extend"}), "assigned"),
}  # fmt: skip
READS_RUNS: Final = {
    "approver": "unit", "site-administrator": "account", "account-manager": "assigned",
}  # fmt: skip
WIDTH: Final = ("own", "unit", "account", "assigned", "all")


@dataclass(frozen=True)
class Command:
    """One thing that somebody does, with all that their page had in it."""

    do: str
    who: str
    on: str = ""
    given: tuple[tuple[str, Any], ...] = ()

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - whatever the page held
        return dict(self.given)[name]


def command(do: str, who: str, on: str = "", **given: Any) -> Command:  # noqa: ANN401 - as above
    return Command(do, who, on, tuple(sorted(given.items())))


@dataclass(frozen=True)
class Expected:
    """What must come of a command: done, the earlier answer again, or one of these refusals."""

    refusals: frozenset[str] = frozenset()
    is_repeat: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it goes through and changes something."""
        return not self.refusals and not self.is_repeat


REPEAT: Final = Expected(is_repeat=True)


def refused(refusals: Refusals) -> Expected:
    return Expected(frozenset(refusals))


@dataclass
class Model:
    """How everything stands."""

    now: datetime
    people: dict[str, Thing] = field(default_factory=dict)
    policy: str = FIRST_POLICY
    prices: dict[str, list[tuple[datetime, dict[str, tuple[tuple[int, str], ...]]]]] = field(
        default_factory=dict
    )
    deal_for: list[tuple[datetime, str]] = field(default_factory=list)
    """Since when which customer has the list DEAL."""
    quotes: dict[str, Thing] = field(default_factory=dict)
    orders: dict[str, Thing] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (account, unit, roles, limit, manager) in PEOPLE.items():
            self.people[name] = {
                "name": name, "account": account, "unit": unit, "roles": frozenset(roles),
                "limit": limit, "manager": manager, "is_member": True, "is_person": True,
            }  # fmt: skip
        self.prices = {code: [(BEGINNING, dict(each))] for code, each in FIRST_PRICES.items()}
        self.deal_for = [(BEGINNING, "ACME")]

    # --- people and rights ----------------------------------------------------------------------

    def can_act(self, name: str) -> bool:
        return bool(self.people[name]["is_member"] and self.people[name]["is_person"])

    def members(self, account: str) -> Iterator[Thing]:
        """Yield who is active in an account, in the order of their e-mails."""
        for name in sorted(self.people):
            if self.people[name]["account"] == account and self.can_act(name):
                yield self.people[name]

    def scope(self, name: str, table: Iterable[tuple[str, str]]) -> str | None:
        """Return the widest of the scopes that somebody's roles have in a table."""
        held = [scope for role, scope in table if role in self.people[name]["roles"]]
        return max(held, key=WIDTH.index, default=None)

    def reaches(self, name: str, scope: str | None, thing: Thing) -> bool:
        person = self.people[name]
        if scope is None or scope == "all":
            return scope == "all"
        if scope == "assigned":
            return bool(MANAGED.get(name) == thing["account"])
        if person["account"] != thing["account"]:
            return False
        if scope == "unit":
            return person["unit"] in units_upwards(thing["account"], thing["unit"])
        return scope == "account" or bool(thing["owner"] == name)

    def reads(self, name: str, thing: Thing) -> bool:
        return self.reaches(name, self.scope(name, READS.items()), thing)

    def holds(self, name: str, right: str) -> bool:
        """Whether somebody has a right at all, however far it reaches."""
        return any(
            right in rights and role in self.people[name]["roles"]
            for role, (rights, _scope) in DOES.items()
        )

    def may(self, name: str, right: str, thing: Thing) -> bool:
        table = [(role, scope) for role, (rights, scope) in DOES.items() if right in rights]
        return self.reaches(name, self.scope(name, table), thing)

    def sees_quote(self, name: str, quote: Thing) -> bool:
        """Whether somebody reads a quote: by their role, or because a run names them."""
        return self.reads(name, quote) or any(
            name in step["people"] for run in runs_of(quote) for step in run["steps"]
        )

    def sees_run(self, name: str, quote: Thing, run: Thing) -> bool:
        by_role = self.scope(name, READS_RUNS.items())
        return any(name in step["people"] for step in run["steps"]) or self.reaches(
            name, by_role, quote
        )

    def sees_order(self, name: str, order: Thing) -> bool:
        is_supplier = self.people[name]["account"] == "NORTH"
        return self.reads(name, order) and not (
            is_supplier and order["status"] in {"draft", "discarded"}
        )

    # --- prices ---------------------------------------------------------------------------------

    def price(self, account: str, sku: str, quantity: int) -> Decimal | None:
        """Return what a piece costs now: the first list that speaks closes the product."""
        lists = ["STD"]
        if [code for since, code in self.deal_for if since <= self.now][-1] == account:
            lists = ["DEAL", "STD"]
        for code in lists:
            _since, entries = [each for each in self.prices[code] if each[0] <= self.now][-1]
            reached = [(least, text) for least, text in entries.get(sku, ()) if least <= quantity]
            if reached:
                return Decimal(max(reached)[1])
        return None

    def totals(self, quote: Thing) -> Thing:
        """Return today's figures of a draft: of its lines, with freight and with tax."""
        lines = Decimal(0)
        for line in quote["lines"].values():
            lines += (self.price_of(quote, line) or Decimal(0)) * line["quantity"]
        is_priced = any(self.price_of(quote, line) is not None for line in quote["lines"].values())
        return sums(lines, freight_for(lines) if is_priced else Decimal(0))

    def price_of(self, quote: Thing, line: Thing) -> Decimal | None:
        return self.price(quote["account"], line["sku"], line["quantity"])

    # --- what orders took -----------------------------------------------------------------------

    def orders_of(self, number: str) -> list[Thing]:
        return [order for order in self.orders.values() if order["quote"] == number]

    def taken(self, number: str, line_id: int) -> int:
        return sum(
            order["lines"][line_id]["quantity"]
            for order in self.orders_of(number)
            if line_id in order["lines"] and order["status"] not in NEVER_CAME
        )

    def is_any_taken(self, number: str, lines: Iterable[int]) -> bool:
        return any(self.taken(number, line_id) for line_id in lines)

    def is_freight_charged(self, number: str) -> bool:
        return any(
            order["freight"] and order["status"] not in {"draft", *NEVER_CAME}
            for order in self.orders_of(number)
        )

    def settle_freight(self, number: str) -> None:
        """Let drafts carry the freight of their quote as long as no placed order does."""
        is_charged = self.is_freight_charged(number)
        for order in self.orders_of(number):
            if order["status"] == "draft":
                frozen = self.quotes[number]["revisions"][order["revision"]]
                order["freight"] = Decimal(0) if is_charged else frozen["freight"]

    # --- states ---------------------------------------------------------------------------------

    def set_status(self, quote: Thing, status: str) -> None:
        """Put a quote and its current revision into a state; each change counts one version."""
        quote["status"] = status
        current(quote)["status"] = status
        quote["version"] += 1

    def approve(self, quote: Thing) -> None:
        """Approve a revision: what was ordered before stays ordered."""
        status = "approved"
        lines = current(quote)["lines"]
        if self.is_any_taken(quote["number"], lines):
            status = self.by_ledger(quote)
        self.set_status(quote, status)

    def by_ledger(self, quote: Thing) -> str:
        """Return what a quote is by its lines: something open, or nothing."""
        number, lines = quote["number"], current(quote)["lines"]
        is_open = any(line["quantity"] > self.taken(number, key) for key, line in lines.items())
        return "partly ordered" if is_open else "ordered"

    def give_back(self, quote: Thing) -> None:
        """Let a quote follow an order that ended before the supplier's word."""
        if quote["status"] in {*ORDERABLE, "ordered"}:
            touched = self.is_any_taken(quote["number"], current(quote)["lines"])
            status = "partly ordered" if touched else "approved"
            if status != quote["status"]:
                self.set_status(quote, status)
        self.settle_freight(quote["number"])

    def over(self) -> list[str]:
        """Return the states of the quotes whose time is over and that nobody has ended yet."""
        return [
            quote["status"]
            for quote in self.quotes.values()
            if quote["status"] in ENDING and current(quote)["holds_until"] <= self.now
        ]

    def expire(self) -> None:
        """End what is over at this moment."""
        for quote in self.quotes.values():
            frozen = current(quote)
            if quote["status"] in ENDING and frozen["holds_until"] <= self.now:
                self.set_status(quote, "expired")
                if frozen["run"]["state"] == "open":
                    frozen["run"]["state"] = "expired"


def current(quote: Thing) -> Thing:
    found: Thing = quote["revisions"][quote["revision"]]
    return found


def runs_of(quote: Thing) -> list[Thing]:
    return [each["run"] for each in quote["revisions"].values() if each["run"]]


def units_upwards(account: str, unit: str | None) -> list[str]:
    """Return a unit and those above it."""
    found = []
    while unit is not None:
        found.append(unit)
        unit = UNITS[account, unit]
    return found


def freight_for(net: Decimal) -> Decimal:
    return Decimal(max((least, charge) for least, charge in FREIGHT if least <= net)[1])


def sums(lines: Decimal, freight: Decimal) -> Thing:
    """Return the figures of a document of one tax rate."""
    net = lines + freight
    tax = (net * TAX_PERCENT / 100).quantize(CENT, ROUND_HALF_UP)
    return {"lines_total": lines, "freight": freight, "net": net, "gross": net + tax}


def end_of_day(moment: datetime, days: int) -> datetime:
    """Return the end of the calendar day so many days later, for the customer."""
    day = moment.astimezone(BERLIN).date() + timedelta(days=days + 1)
    return datetime.combine(day, time(), BERLIN).astimezone(UTC)
