"""Prices end to end: random worlds loaded as files, compared with the naive reading."""

import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from portal.catalog.models import Product, UomConversion
from portal.catalog.pricing.asking import answer_lines, read_line
from portal.catalog.pricing.models import (
    PriceAssignment,
    PriceEntry,
    PriceList,
    PriceListVersion,
)
from portal.catalog.pricing.queries import Buyer, PriceQuestion, open_book, resolve_document
from portal.db import db, transaction
from tests.catalog.pricing.naive import Row, naive_price
from tests.catalog.pricing.shop import DAY, T0, ZONE, Shop
from tests.stage import Counted

CODES = ("A1", "A2", "L1", "L2")
PATHS: Mapping[str, list[str | None]] = {
    "ACME": [None],
    "HQ": ["HQ", None],
    "LAB": ["LAB", "HQ", None],
}


@pytest.fixture
def shop(app: Flask) -> Shop:
    assert app.config["SETTINGS"]
    return Shop()


class World:
    """A random world, kept as plain rows beside the database."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - worlds, not secrets
        dice = self.dice
        self.kinds = {"STD": "standard", "A1": "agreement", "A2": "agreement"}
        self.kinds |= {"L1": "list", "L2": "list"}
        self.marks: dict[str, tuple[bool, int]] = {}
        self.versions: list[Row] = []
        self.assignments: list[Row] = []
        self.agreements: list[Row] = []
        for code in self.kinds:
            self.marks[code] = (dice.random() < 0.4, dice.randrange(5))
            for day in sorted(dice.sample(range(6), dice.choice([1, 1, 2]))):
                self.versions.append({"code": code, "day": day, "entries": self._entries(code)})
        for code in CODES:
            for _ in range(dice.randrange(3)):
                self.assignments.append(self._assignment(code))
        if dice.random() < 0.7:
            code = dice.choice(["A1", "A2"])
            self.agreements.append({"code": code, "window": self._window()})

    def _window(self) -> tuple[int | None, int | None]:
        start = self.dice.choice([None, 0, 1, 2, 3])
        end = self.dice.choice([None, None, 4, 5])
        return start, end

    def _assignment(self, code: str) -> Row:
        targets: list[tuple[str | None, str | None]] = [
            ("ACME", None),
            ("ACME", "HQ"),
            ("ACME", "LAB"),
        ]
        if self.kinds[code] == "list":
            targets.append((None, "gold"))
        account, unit = self.dice.choice(targets)
        return {
            "code": code,
            "account": account,
            "unit": unit,
            "priority": self.dice.choice([None, 1, 2]),
            "window": self._window(),
        }

    def _entries(self, code: str) -> list[Row]:
        rows: dict[tuple[Any, ...], Row] = {}
        for _ in range(self.dice.randrange(6)):
            sku = self.dice.choice(["LT-5", "LT-5", None])
            path = None if sku else self.dice.choice(["Hardware", "Hardware/Laptops"])
            kinds = ["price"] if code == "STD" else ["price", "percent_off", "amount_off"]
            start, end = self._window()
            row = {
                "sku": sku,
                "category_path": path,
                "uom": self.dice.choice(["EA", "BX"]),
                "min_qty": Decimal(self.dice.choice(["0", "1", "2", "10"])),
                "kind": self.dice.choice(kinds),
                "value": Decimal(self.dice.choice(["0.5", "3.335", "12", "99.995"])),
                "valid_from": moment(start),
                "valid_to": moment(end),
            }
            rows.setdefault((sku, path, row["uom"], row["min_qty"]), row)
        return list(rows.values())

    def load(self, shop: Shop) -> None:
        """Load everything through files, each version published at its own instant."""
        shop.load(
            "price-lists",
            [
                {
                    "list_code": code,
                    "currency": "EUR",
                    "kind": self.kinds[code],
                    "best_price": int(best),
                    "unit_price_decimals": decimals,
                }
                for code, (best, decimals) in self.marks.items()
            ],
        )
        for version in self.versions:
            rows = [entry_cells(version["code"], row) for row in version["entries"]]
            if rows:
                report = shop.load("price-entries", rows)
                assert report.refused == []
            else:
                version["entries"] = None
                continue
            try_at = T0 + version["day"] * DAY
            shop.publish(version["code"], now=T0 - DAY, at=try_at)
        if self.assignments:
            shop.load("price-assignments", [self._cells(row) for row in self.assignments], now=T0)
        for row in self.agreements:
            start, end = row["window"]
            cells = {"agreement_number": "N", "account_code": "ACME", "list_codes": row["code"]}
            cells |= {"valid_from": text(moment(start)), "valid_to": text(moment(end))}
            assert shop.load("agreements", [cells]).refused == []

    def _cells(self, row: Row) -> Mapping[str, Any]:
        start, end = row["window"]
        return {
            "list_code": row["code"],
            "account_code": row["account"] or "",
            "unit_code": row["unit"] or "" if row["account"] else "",
            "tier": "" if row["account"] else "gold",
            "priority": "" if row["priority"] is None else row["priority"],
            "valid_from": text(moment(start)),
            "valid_to": text(moment(end)),
        }

    def lists_for(self, unit: str | None, at: datetime) -> list[Row]:
        """Return the lists that reach a unit at an instant, in the naive reading's rows."""
        path = PATHS[unit or "ACME"]
        found = [self._list("STD", "standard", 0, None, at)]
        for row in self.assignments:
            if not holds(row["window"], at) or not self._is_carried(row["code"], at):
                continue
            word = "agreement" if self.kinds[row["code"]] == "agreement" else "list"
            if row["account"] is None:
                found.append(self._list(row["code"], "list-group", 0, row["priority"], at))
            elif row["unit"] is None:
                found.append(self._list(row["code"], f"{word}-account", 0, row["priority"], at))
            elif row["unit"] in path:
                away = path.index(row["unit"])
                found.append(self._list(row["code"], f"{word}-unit", away, row["priority"], at))
        return found

    def _is_carried(self, code: str, at: datetime) -> bool:
        windows = [row["window"] for row in self.agreements if row["code"] == code]
        return not windows or any(holds(window, at) for window in windows)

    def _list(
        self, code: str, level: str, distance: int, priority: int | None, at: datetime
    ) -> Row:
        due = [
            version
            for version in self.versions
            if version["code"] == code
            and version["entries"] is not None
            and T0 + version["day"] * DAY <= at
        ]
        best, decimals = self.marks[code]
        return {
            "code": code,
            "kind": self.kinds[code],
            "level": level,
            "distance": distance,
            "priority": priority,
            "best_price": best,
            "decimals": decimals,
            "entries": due[-1]["entries"] if due else None,
        }


def moment(day: int | None) -> datetime | None:
    return None if day is None else T0 + day * DAY


def text(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def holds(window: tuple[int | None, int | None], at: datetime) -> bool:
    start, end = (moment(day) for day in window)
    return (start is None or start <= at) and (end is None or at < end)


def entry_cells(code: str, row: Row) -> Mapping[str, Any]:
    return {
        "list_code": code,
        "sku": row["sku"] or "",
        "category_path": row["category_path"] or "",
        "uom": row["uom"],
        "min_qty": row["min_qty"],
        **{
            k: row["value"] if row["kind"] == k else ""
            for k in ("price", "percent_off", "amount_off")
        },
        "valid_from": text(row["valid_from"]),
        "valid_to": text(row["valid_to"]),
    }


@pytest.mark.parametrize("seed", range(25))
def test_a_loaded_world_answers_like_the_naive_reading(shop: Shop, seed: int) -> None:
    world = World(seed)
    world.load(shop)
    asked: list[dict[str, Any]] = [
        {
            "account": "ACME",
            "unit": unit,
            "sku": "LT-5",
            "quantity": quantity,
            "uom": uom,
            "at": (T0 + day * DAY / 2).isoformat(),
        }
        for unit in (None, "HQ", "LAB")
        for quantity in ("0.5", "1", "10", "25")
        for uom in ("EA", "BX", "KG")
        for day in range(-1, 12, 3)
    ]

    answers = answer_lines([read_line(each, now=T0, zone=ZONE) for each in asked])

    for each, answer in zip(asked, answers, strict=True):
        ask = {
            "sku": "LT-5",
            "category": "Hardware/Laptops",
            "quantity": Decimal(str(each["quantity"])),
            "uom": each["uom"],
            "at": datetime.fromisoformat(str(each["at"])),
            "conversions": [("BX", "EA", Decimal(10))],
        }
        expected = naive_price(world.lists_for(each["unit"], ask["at"]), ask)
        outcomes = {step["list_code"]: step["outcome"] for step in answer["trace"]}
        assert answer["found"] == expected["found"], (each, answer)
        assert outcomes == expected["outcomes"], (each, answer)
        if answer["found"]:
            assert Decimal(answer["unit_price"]) == expected["unit_price"]
            assert answer["line_total"] == f"{expected['line_total']:f}"
            assert answer["list_code"] == expected["list_code"]


def test_a_line_that_can_not_be_asked_says_so_in_its_place(shop: Shop) -> None:
    shop.standard({"LT-1": "1299"})
    good = {"account": "ACME", "sku": "LT-1", "quantity": "20", "at": "2026-11-21T00:00:00Z"}
    bad = [
        {**good, "account": "NOBODY"},
        {**good, "unit": "NOWHERE"},
        {**good, "sku": "LT-9"},
    ]

    answers = answer_lines([read_line(each, now=T0, zone=ZONE) for each in [*bad, good]])

    assert [list(answer) for answer in answers[:3]] == [["error"]] * 3
    assert answers[2]["error"] == "there is no product “LT-9”"
    assert answers[3] == {
        "account": "ACME",
        "unit": None,
        "sku": "LT-1",
        "quantity": "20",
        "uom": "EA",
        "at": "2026-11-21T00:00:00Z",
        "currency": "EUR",
        "found": True,
        "unit_price": "1299.0000",
        "line_total": "25980.00",
        "list_code": "STD",
        "list_version": 1,
        "entry": {
            "kind": "price",
            "sku": "LT-1",
            "category_path": None,
            "uom": "EA",
            "min_qty": "1",
            "value": "1299",
        },
        "list_price": "1299.0000",
        "valid_to": None,
        "trace": [
            {
                "list_code": "STD",
                "level": "standard",
                "priority": None,
                "outcome": "won",
                "reason": "the first list that prices the product",
            }
        ],
    }


def test_an_account_in_another_currency_is_never_reached(shop: Shop) -> None:
    shop.standard({"LT-1": "10"})
    asked = {"account": "OTHER", "sku": "LT-1"}

    answer = answer_lines([read_line(asked, now=T0, zone=ZONE)])[0]

    assert (answer["found"], answer["currency"], answer["trace"]) == (False, "KRW", [])
    assert (answer["unit_price"], answer["line_total"], answer["list_price"]) == (None, None, None)


def test_changing_an_assignment_keeps_the_answer_of_an_earlier_instant(shop: Shop) -> None:
    shop.standard({"LT-1": "10"})
    shop.load("price-lists", "list_code,currency,kind\nL,EUR,list\n")
    shop.load("price-entries", "list_code,sku,uom,min_qty,price\nL,LT-1,EA,1,7\n")
    shop.publish("L")
    shop.load("price-assignments", "list_code,account_code,priority\nL,ACME,1\n")
    shop.load("price-assignments", "list_code,tier,priority\nL,silver,1\n", now=T0 + 9 * DAY)

    instants = [(T0 + n * DAY).isoformat() for n in (8, 9)]
    lines = [{"account": "ACME", "sku": "LT-1", "at": at} for at in instants]
    answers = answer_lines([read_line(line, now=T0, zone=ZONE) for line in lines])

    assert [answer["list_code"] for answer in answers] == ["L", "STD"]


def test_any_number_of_products_takes_the_same_number_of_statements(
    shop: Shop, count_statements: Callable[[], AbstractContextManager[Counted]]
) -> None:
    shop.standard({f"LT-{n}": "10" for n in range(1, 6)})
    products = db.session.scalars(select(Product).order_by(Product.sku)).all()
    buyer = Buyer(shop.acme_id, shop.lab_id, "EUR")
    totals = []
    for some in (products[:1], products):
        with count_statements() as counted:
            book = open_book(buyer, some, T0)
            prices = [book.resolve(product, Decimal(1)).unit_price for product in some]
            ladders = [book.ladder(product) for product in some]
        assert prices == [Decimal(10)] * len(some)
        assert [len(ladder) for ladder in ladders] == [1] * len(some)
        totals.append(counted.total)

    assert totals[0] == totals[1] <= 8


def test_lines_of_the_same_product_reach_a_break_together(shop: Shop) -> None:
    shop.load("price-lists", "list_code,currency,kind\nSTD,EUR,standard\n")
    rows = "STD,LT-5,EA,1,10\nSTD,LT-5,EA,20,8.005\n"
    shop.load("price-entries", "list_code,sku,uom,min_qty,price\n" + rows)
    shop.publish("STD")
    product = db.session.scalars(select(Product).where(Product.sku == "LT-5")).one()
    buyer = Buyer(shop.acme_id, None, "EUR")

    lines = resolve_document(
        buyer,
        [
            PriceQuestion(product, Decimal(5)),
            PriceQuestion(product, Decimal(15)),
            PriceQuestion(product, Decimal(2), "BX"),
        ],
        T0,
    )

    assert [line.line_total for line in lines] == [
        Decimal("40.05"),
        Decimal("120.15"),
        Decimal("160.10"),
    ]


def test_a_document_is_priced_by_what_the_database_says_now(shop: Shop) -> None:
    shop.standard({"LT-5": "10"})
    shop.load("price-lists", "list_code,currency,kind\nL,EUR,list\n")
    shop.load(
        "price-entries", "list_code,sku,uom,min_qty,price\nL,LT-5,EA,1,7.126\nL,LT-5,EA,5,6\n"
    )
    shop.publish("L")
    shop.load("price-assignments", "list_code,account_code,priority\nL,ACME,1\n")
    product = db.session.scalars(select(Product).where(Product.sku == "LT-5")).one()
    asked = [PriceQuestion(product, Decimal(2), "BX"), PriceQuestion(product, Decimal(1))]
    own = select(PriceList.id).where(PriceList.code == "L").scalar_subquery()
    buyer = Buyer(shop.acme_id, None, "EUR")

    for change in (
        update(PriceEntry).where(PriceEntry.min_quantity == 5).values(min_quantity=Decimal(500)),
        update(PriceEntry).values(value=PriceEntry.value - 1),
        update(PriceListVersion).values(unit_price_decimals=1),
        update(PriceListVersion).where(PriceListVersion.list_id == own).values(number=7),
        update(UomConversion).values(factor=Decimal(12)),
        update(PriceAssignment).values(valid_to=T0 + DAY),
        update(PriceAssignment).values(priority=3),
        delete(PriceAssignment),
        delete(PriceEntry),
    ):
        before = resolve_document(buyer, asked, T0)
        with transaction():
            db.session.execute(change)
        after, book = resolve_document(buyer, asked, T0), open_book(buyer, [product], T0)
        assert after == [book.resolve(each.product, each.quantity, each.uom) for each in asked]
        assert after != before, change
