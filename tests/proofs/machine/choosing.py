"""Which command comes next: mostly the one that carries something on, by somebody who may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final, TypeVar

from tests.proofs.machine.decisions import standing_of
from tests.proofs.machine.model import (
    ENDING,
    ORDERABLE,
    VALID_DAYS,
    Command,
    Model,
    Thing,
    command,
    current,
    end_of_day,
)
from tests.proofs.machine.routes import waiting
from tests.proofs.machine.world import PEOPLE, POLICIES, SKUS

T = TypeVar("T")
CUSTOMERS: Final = tuple(name for name, row in PEOPLE.items() if row[0] != "NORTH")
ROLES: Final = ("approver", "buyer", "shopper", "site-buyer", "viewer")
PRICES: Final = ("4.50", "19.99", "26.00", "810.00", "1234.56")
MOST_QUOTES: Final = 2


@dataclass
class Dice:
    """What the machine drew for one step, spent bit by bit."""

    value: int

    def __post_init__(self) -> None:
        # Small numbers are drawn far more often than large ones: spread them.
        self.value = (self.value * 0x9E3779B97F4A7C15 + 0x7F4A7C15) % 2**64 >> 8

    def of(self, sides: int) -> int:
        self.value, rest = divmod(self.value, sides)
        return rest

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.of(len(choices))]

    def chance(self, one_in: int) -> bool:
        return self.of(one_in) == one_in - 1


@dataclass
class Chooser:
    """Makes commands out of how things stand and what was drawn."""

    model: Model
    numbers: Any = None

    def __post_init__(self) -> None:
        self.numbers = count(1)

    def key(self, dice: Dice) -> str:
        """Return what a new form is known by; now and then that of an earlier one."""
        number = next(self.numbers)
        return f"key-{dice.of(number) + 1 if dice.chance(12) else number}"

    # --- carrying on ----------------------------------------------------------------------------

    def natural(self, dice: Dice) -> Command:
        """Return what comes next for something that is under way."""
        things: list[Thing] = [
            order for order in self.model.orders.values()
            if order["status"] in {"draft", "placed", "confirmed", "partly shipped"}
        ]  # fmt: skip
        if not things or dice.chance(2):
            things += [
                quote for quote in self.model.quotes.values()
                if quote["status"] not in {"discarded", "ordered"}
            ]  # fmt: skip
        if not things or (len(self.model.quotes) < MOST_QUOTES and dice.chance(8)):
            return command("create", dice.pick(("bea", "sam", "pia", "bea", "bob")))
        thing = dice.pick(things)
        if "quote" in thing:
            return self.on_order(thing, self.next_of_order(thing, dice), dice)
        return self.on_quote(thing, self.next_of_quote(thing, dice), dice)

    def next_of_quote(self, quote: Thing, dice: Dice) -> str:
        status = quote["status"]
        if status == "draft":
            if not quote["lines"]:
                return "add"
            return dice.pick(("submit",) * 7 + ("add", "save", "discard"))
        if status == "in approval":
            return dice.pick(("decide",) * 6 + ("withdraw", "extend"))
        if status in ORDERABLE:
            return dice.pick(("convert",) * 5 + ("revise", "extend"))
        return "revise"

    def next_of_order(self, order: Thing, dice: Dice) -> str:
        return dice.pick(NEXT[order["status"]])

    def on_quote(  # noqa: PLR0911 - one command per kind
        self, quote: Thing, do: str, dice: Dice, who: str | None = None
    ) -> Command:
        """Return a command about a quote, by whoever may or by ``who``; at times of an old page."""
        number, age = quote["number"], dice.pick((0, 0, 0, 0, 0, 0, 1, 2))
        doer = who or self.someone(quote, RIGHTS.get(do, "save"), dice)
        version, revision = max(quote["version"] - age, 1), max(quote["revision"] - age, 1)
        match do:
            case "add":
                return command(do, doer, number, items=self.items(dice))
            case "save":
                line = dice.pick(sorted(quote["lines"]) or [1])
                return command(
                    do, doer, number, version=version, line=line, quantity=dice.pick((4, 12, 1, 0))
                )
            case "submit":
                return self.submit(quote, doer, version, dice)
            case "discard":
                return command(do, doer, number, version=version)
            case "extend":
                until = end_of_day(self.model.now, dice.pick((VALID_DAYS + 2, 9, 1)))
                return command(do, who or "max", number, revision=revision, until=until)
            case "decide":
                return self.decide(quote, who, dice)
            case "convert":
                return self.convert(quote, doer, dice)
            case _:
                return command(do, doer, number, revision=revision)

    def items(self, dice: Dice) -> tuple[tuple[str, int], ...]:
        """Return one or two products; seldom one without a price, or none of it."""
        sold = SKUS if dice.chance(10) else SKUS[:3]
        first = dice.of(len(sold))
        wanted = (sold[first], sold[(first + 1) % len(sold)])[: 1 + dice.of(2)]
        least = 0 if dice.chance(16) else 1
        return tuple((sku, dice.pick((1, 2, 5, 10, 3)) * least) for sku in wanted)

    def submit(self, quote: Thing, who: str, version: int, dice: Dice) -> Command:
        prices = [(key, self.model.price_of(quote, line)) for key, line in quote["lines"].items()]
        accepts, shows = dice.chance(2), dice.pick((2, 0, 2, 0, 2, 0, 2, 0, 2, 1))
        shown = None if shows > 1 else self.model.totals(quote)["net"] + (shows and Decimal(1))
        return command(
            "submit", who, quote["number"], version=version, shown=shown,
            accepted=tuple(prices) if accepts else (),
        )  # fmt: skip

    def decide(self, quote: Thing, who: str | None, dice: Dice) -> Command:
        revisions = [number for number, each in quote["revisions"].items() if each["run"]]
        revision = revisions[-1] if not dice.chance(8) else dice.pick(revisions)
        run = quote["revisions"][revision]["run"]
        asked = sorted(set().union(*waiting(self.model, run).values(), set()))
        doer = who or dice.pick(asked or ["fay"])
        answer = dice.pick(("approve",) * 6 + ("reject", "request-changes"))
        return command(
            "decide", doer, quote["number"], revision=revision, answer=answer,
            comment="" if dice.chance(8) else "because", is_fresh=not dice.chance(4),
        )  # fmt: skip

    def convert(self, quote: Thing, who: str, dice: Dice) -> Command:
        """Take what is open, a part of it, or now and then more than that."""
        wanted, way = [], dice.of(8)
        for line, each in current(quote).get("lines", {}).items():
            is_open = max(each["quantity"] - self.model.taken(quote["number"], line), 0)
            part = {0: is_open + 1, 1: 0, 2: is_open, 3: is_open}.get(way, (is_open + 1) // 2)
            wanted.append((line, part))
        if dice.chance(16):
            wanted.append((99, 1))
        return command(
            "convert", who, quote["number"], quantities=tuple(wanted), key=self.key(dice)
        )  # fmt: skip

    def on_order(self, order: Thing, do: str, dice: Dice, who: str | None = None) -> Command:
        number = order["number"]
        doer = who or self.someone(order, RIGHTS.get(do, "place"), dice)
        match do:
            case "place":
                return command(
                    do, doer, number, po=dice.pick(("", "", "4711", "")), key=self.key(dice)
                )
            case "cancel" | "decline":
                return command(do, doer, number, reason="" if dice.chance(4) else "too late")
            case "ship":
                way = dice.of(4)
                left = {
                    key: each["quantity"] - each["shipped"] for key, each in order["lines"].items()
                }
                packed = [
                    (key, {0: most + 1, 1: (most + 1) // 2}.get(way, most))
                    for key, most in left.items()
                ]
                return command(do, doer, number, quantities=tuple(packed), key=self.key(dice))
            case _:
                return command(do, doer, number)

    def someone(self, thing: Thing, right: str, dice: Dice) -> str:
        """Return somebody who may, where there is one."""
        able = [
            name for name in PEOPLE
            if self.model.can_act(name) and self.model.may(name, right, thing)
            and self.model.reads(name, thing)
        ]  # fmt: skip
        return dice.pick(able) if able else dice.pick(tuple(PEOPLE))

    # --- anybody, anything ----------------------------------------------------------------------

    def wild(self, who: str, do: str, dice: Dice) -> Command | None:
        """Return a command by anybody about anything, whether it makes sense or not."""
        if do in ON_ORDERS:
            if not self.model.orders:
                return None
            return self.on_order(dice.pick(list(self.model.orders.values())), do, dice, who)
        quotes = list(self.model.quotes.values())
        if do == "decide":
            quotes = [each for each in quotes if any(r["run"] for r in each["revisions"].values())]
        if not quotes:
            return None
        return self.on_quote(dice.pick(quotes), do, dice, who)

    # --- around them ----------------------------------------------------------------------------

    def around(self, dice: Dice) -> Command:
        """Return a change of people, policy or prices."""
        kind = dice.of(10)
        if kind == 9:
            return command("create", dice.pick(tuple(PEOPLE)))
        if kind == 0:
            return command("policy", dice.pick(("adi",) * 4 + ("fay", "ben", "bea", "adi")),
                           policy=dice.pick(tuple(POLICIES)))  # fmt: skip
        if kind in {1, 5}:
            who = dice.pick(("pam", "pam", "pam", "pam", "max", "dan"))
            return command("assign", who, dice.pick(("BETA", "ACME")))
        if kind in {2, 3}:
            breaks = tuple((least, dice.pick(PRICES)) for least in dice.pick(((1,), (1, 5))))
            return command(
                "publish", dice.pick(("pam",) * 5 + ("max", "bea", "adi")),
                list=dice.pick(("STD", "DEAL")), sku=dice.pick(SKUS[:3]), breaks=breaks,
            )  # fmt: skip
        name = dice.pick(CUSTOMERS)
        who = dice.pick(("adi",) * 6 + ("ben", "bea"))
        return self.suspend(name, who, dice) if kind == 4 else self.change(name, who, dice)

    def suspend(self, name: str, who: str, dice: Dice) -> Command:
        """Keep somebody out or let them in again; seldom with an old page."""
        whole = dice.chance(3)
        is_in = self.model.people[name]["is_person" if whole else "is_member"]
        out = [
            each for each in CUSTOMERS
            if not self.model.people[each]["is_person" if whole else "is_member"]
        ]  # fmt: skip
        if out and dice.chance(2):  # so that the world does not fall silent
            name, is_in = dice.pick(out), False
        back = is_in if dice.chance(8) else not is_in
        return command("suspend", "operator" if whole else who, name, whole=whole, back=back)

    def change(self, name: str, who: str, dice: Dice) -> Command:
        """Give or take a role, or move somebody."""
        person = self.model.people[name]
        seen = standing_of(person)
        roles, unit = person["roles"], person["unit"]
        if dice.chance(3) and person["account"] == "ACME":
            unit = dice.pick(("HQ", "IT", "LAB"))
        else:
            roles = roles ^ {dice.pick(ROLES)}
        if dice.chance(8):
            seen = (seen[0] ^ {"viewer"}, *seen[1:])
        return command("change", who, name, seen=seen, roles=roles or seen[0], unit=unit)

    def jump(self, dice: Dice) -> timedelta:
        """Return how long nothing happens."""
        ends: list[timedelta] = [
            current(quote)["holds_until"] - self.model.now + timedelta(seconds=dice.of(3) - 1)
            for quote in self.model.quotes.values() if quote["status"] in ENDING
        ]  # fmt: skip
        if ends and dice.chance(3):
            return max(min(ends), timedelta(seconds=1))
        return dice.pick((timedelta(minutes=1), timedelta(hours=7), timedelta(days=1)))


RIGHTS: Final[Mapping[str, str]] = {
    "add": "save", "save": "save", "discard": "save", "revise": "save", "submit": "submit",
    "withdraw": "submit", "convert": "convert", "extend": "extend", "place": "place",
    "discard-order": "place", "cancel": "cancel", "decline": "decline", "confirm": "confirm",
    "ship": "ship",
}  # fmt: skip
NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "draft": ("place", "place", "place", "discard-order"),
    "placed": ("confirm", "confirm", "confirm", "cancel", "decline"),
    "confirmed": ("ship",), "partly shipped": ("ship",),
}  # fmt: skip
ON_ORDERS: Final = ("place", "discard-order", "cancel", "decline", "confirm", "ship")
ON_QUOTES: Final = (
    "add", "save", "submit", "withdraw", "revise", "discard", "extend", "decide", "convert",
)  # fmt: skip
