"""Building the world: the demo's people and rules by its actions, the mass beside them by copying.

Nothing here says what a row looks like. One quote is taken through approval, order and confirmation
by the portal's own actions; its rows, those of the account that did it and those of its price list
are the stencils for all others. The same size and seed give the same world.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from flask import Flask
from sqlalchemy import Table, func, select
from sqlalchemy.orm import close_all_sessions

from bench.copying import Row, Stencil, Writer, writing
from bench.databases import Database
from bench.goods import Good, from_folder, multiplied, shipped
from bench.sizes import LINES_OF_AN_ORDER, ORDERS_OF_A_QUOTE, PEOPLE_OF_AN_ACCOUNT, Size
from portal.accounts.models import Account
from portal.approvals.rules import Answer
from portal.catalog.models import Product
from portal.catalog.search_index import index_products
from portal.db import EVERY_ROW, NO_ROWS, Base, db, in_pages, set_row_scope, transaction
from portal.demo.cast import Acme, Supplier
from portal.demo.loading import load_world
from portal.demo.scenes import answer, draft, order, submit
from portal.orders.actions import confirm_order
from portal.orders.rules import OrderStatus

SEED: Final = 2026
YEARS: Final = timedelta(days=3 * 365)
SET_UP_BEFORE: Final = timedelta(days=21)
MARK: Final = "world.json"
LARGE: Final = "Large category"
INDEXED_AT_ONCE: Final = 5_000
Say = Callable[[str], None]
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Member:
    """Who orders in an account."""

    account_id: int
    unit_id: int | None
    membership_id: int
    person_id: int


@dataclass(frozen=True, slots=True)
class Sold:
    """A product as lines name it."""

    id: int
    sku: str
    name: str
    price: Decimal


def build(app: Flask, database: Database, size: Size, goods_from: Path | None, say: Say) -> None:
    """Fill an empty database, or leave one alone that was filled to this size before."""
    mark = database.folder / MARK
    wanted = {"seed": SEED, "goods": str(goods_from or "shipped"), **asdict(size)}
    if mark.exists():
        if json.loads(mark.read_text()) != wanted:
            message = f"{database.folder} holds a world of another size; name another folder."
            raise ValueError(message)
        return
    now = datetime.now(UTC)
    with app.app_context():
        set_row_scope(EVERY_ROW)
        try:
            if db.session.scalar(select(func.count()).select_from(Account)):
                message = f"{database.folder} holds a world that was never finished; remove it."
                raise ValueError(message)
            _tell(now)
            say("the demo's people, rules and one order")
            builder = _Builder(size, Random(SEED), now, say)  # noqa: S311 - a world, not a secret
            builder.read(goods_from)
            db.session.remove()
            db.engine.dispose()
            with writing(database) as writer:
                builder.write(writer)
            _index(app)
            say("words of the search")
        finally:
            set_row_scope(NO_ROWS)
            close_all_sessions()
            db.engine.dispose()
    mark.write_text(json.dumps(wanted))


def _tell(now: datetime) -> None:
    """Load the demo's world and take one quote of five lines to a confirmed order."""
    began = now - SET_UP_BEFORE
    load_world(began, lambda table: table)
    items = {"LT-0001": 2, "MS-0002": 2, "KB-0004": 2, "MN-0004": 2, "WC-0002": 2}
    quote = draft(Acme.buyer, "Five lines", items, began, cost_centre="2100")
    quote = submit(Acme.buyer, quote, began + timedelta(hours=1))
    answer(Acme.approver, quote, Answer.APPROVE, "", began + timedelta(hours=2))
    number = order(Acme.buyer, quote, "4500000001", began + timedelta(hours=3))
    confirm_order(Supplier.order_desk, number, now=began + timedelta(hours=4))


class _Builder:
    """One world under way: what was read of the stencils, and what was given ids so far."""

    def __init__(self, size: Size, random: Random, now: datetime, say: Say) -> None:
        self.size, self.random, self.now, self.say = size, random, now, say
        self.found: dict[str, Rows] = {}
        self.goods: list[Good] = []
        self.sold: list[Sold] = []
        self.members: list[Member] = []

    # --- reading ----------------------------------------------------------------------------

    def read(self, goods_from: Path | None) -> None:
        """Read everything that is copied, before anything is written."""
        self.goods = from_folder(goods_from, self.random) if goods_from else shipped(self.random)
        acme = Acme().account_id
        for name in ("unit", "address", "cost_centre", "membership", "membership_role"):
            self._read(name, "account_id", acme)
        self._read("account", "id", acme)
        self._read("person", "id", *(row["person_id"] for row in self.found["membership"]))
        self._read("purchase_order", "account_id", acme)
        self._read("purchase_order_line", "account_id", acme)
        for name in ("quote", "quote_revision", "quote_line", "approval_run"):
            self._read(name, "account_id", acme)
        for name in ("product", "category", "stock_level", "price_list", "price_list_version"):
            self._read(name)
        for name in ("price_entry", "price_assignment", "agreement", "agreement_list"):
            self._read(name)

    def _read(self, name: str, column: str = "", *values: int) -> None:
        table = _table(name)
        statement = select(table)
        if column:
            statement = statement.where(table.c[column].in_(values))
        rows = db.session.execute(statement.order_by(*table.primary_key.columns)).mappings()
        self.found[name] = [dict(row) for row in rows]

    def _first(self, name: str, **like: object) -> dict[str, Any]:
        return next(
            row
            for row in self.found[name]
            if all(row[column] == value for column, value in like.items())
        )

    # --- writing ----------------------------------------------------------------------------

    def write(self, writer: Writer) -> None:
        """Write everything in the order in which rows name each other."""
        for step in (self._products, self._accounts, self._prices, self._orders):
            began = time.perf_counter()
            step(writer)
            self.say(f"{step.__name__.strip('_')} in {time.perf_counter() - began:.1f} s")

    def _products(self, writer: Writer) -> None:
        """Write products with their attributes and stock; the first ones fill one category."""
        kept = len(self.found["product"])
        goods = list(multiplied(self.goods, max(self.size.products - kept, 1)))
        categories = self._categories(writer, {good.category for good in goods})
        first = writer.last_id(_table("product")) + 1
        like = self._first("product", status="active")
        columns = (
            "id", "sku", "sku_key", "name", "names", "description", "category_id",
            "manufacturer", "mpn", "successor_sku",
        )  # fmt: skip
        stencil = Stencil(_table("product"), like, *columns)

        def category_of(place: int, good: Good) -> int:
            return categories[LARGE if place < self.size.in_large_category else good.category]

        writer.fill(
            stencil,
            (
                stencil.row(
                    first + place, good.sku, good.sku.casefold(), good.name, good.names,
                    good.description, category_of(place, good), good.manufacturer, good.mpn, None,
                )
                for place, good in enumerate(goods)
            ),
        )  # fmt: skip
        attribute = Stencil(_table("product_attribute"), {}, "product_id", "name", "value")
        writer.fill(
            attribute,
            (
                attribute.row(first + place, name, value)
                for place, good in enumerate(goods)
                for name, value in good.attributes.items()
            ),
        )
        stock = Stencil(_table("stock_level"), self.found["stock_level"][0], "id", "product_id")
        above = writer.last_id(_table("stock_level")) + 1
        writer.fill(stock, (stock.row(above + place, first + place) for place in range(len(goods))))
        self.sold = [
            Sold(first + place, good.sku, good.name, good.price) for place, good in enumerate(goods)
        ]

    def _categories(self, writer: Writer, paths: set[str]) -> dict[str, int]:
        """Return the id of each category, making those that are not there."""
        ids = {row["path"]: row["id"] for row in self.found["category"]}
        missing = sorted({*paths, LARGE} - ids.keys())
        above = writer.last_id(_table("category")) + 1
        stencil = Stencil(_table("category"), {"names": {}}, "id", "path", "name")
        writer.fill(
            stencil,
            (stencil.row(above + place, path, path) for place, path in enumerate(missing)),
        )
        return ids | {path: above + place for place, path in enumerate(missing)}

    def _accounts(self, writer: Writer) -> None:
        """Copy the measured account's organisation and its first people, once per account."""
        units = self.found["unit"]
        people = self.found["membership"][:PEOPLE_OF_AN_ACCOUNT]
        firsts = {
            name: writer.last_id(_table(name)) + 1
            for name in ("account", "unit", "address", "cost_centre", "person", "membership")
        }
        copies = range(self.size.accounts)

        def new_id(name: str, copy: int, rows: Sequence[Any], old: int | None) -> int | None:
            places = [row["id"] for row in rows]
            return None if old is None else firsts[name] + copy * len(rows) + places.index(old)

        accounts = Stencil(_table("account"), self.found["account"][0], "id", "code", "name")
        writer.fill(
            accounts,
            (
                accounts.row(firsts["account"] + copy, f"B{copy:05d}", f"Company {copy:05d}")
                for copy in copies
            ),
        )
        self._copied(
            writer, "unit", units, firsts["account"], {"parent_id": (units, "unit")}, new_id
        )
        places = {"unit_id": (units, "unit")}
        for name in ("address", "cost_centre"):
            self._copied(writer, name, self.found[name], firsts["account"], places, new_id)
        self._people(writer, people, firsts["person"])
        self._copied(
            writer, "membership", people, firsts["account"],
            places | {"person_id": ([{"id": row["person_id"]} for row in people], "person")},
            new_id,
        )  # fmt: skip
        self._roles(writer, people, firsts)
        self.members = [
            Member(
                firsts["account"] + copy,
                new_id("unit", copy, units, people[0]["unit_id"]),
                firsts["membership"] + copy * len(people),
                firsts["person"] + copy * len(people),
            )
            for copy in copies
        ]

    def _copied(
        self,
        writer: Writer,
        name: str,
        rows: Rows,
        first_account: int,
        references: Mapping[str, tuple[Sequence[Any], str]],
        new_id: Callable[[str, int, Sequence[Any], int | None], int | None],
    ) -> None:
        above = writer.last_id(_table(name)) + 1
        dropped = {
            column: None for column in ("access_group_id", "manager_id", "owner_person_id")
            if column in _table(name).c
        }  # fmt: skip
        for place, row in enumerate(rows):
            stencil = Stencil(_table(name), row | dropped, "id", "account_id", *references)
            writer.fill(
                stencil,
                (
                    stencil.row(
                        above + copy * len(rows) + place,
                        first_account + copy,
                        *(
                            new_id(target, copy, others, row[column])
                            for column, (others, target) in references.items()
                        ),
                    )
                    for copy in range(self.size.accounts)
                ),
            )

    def _people(self, writer: Writer, members: Rows, first: int) -> None:
        person = Stencil(_table("person"), self.found["person"][0], "id", "email", "name")
        count = len(members)
        writer.fill(
            person,
            (
                person.row(
                    first + copy * count + place,
                    f"person{place}@b{copy:05d}.example",
                    f"Person {place} of {copy:05d}",
                )
                for copy in range(self.size.accounts)
                for place in range(count)
            ),
        )

    def _roles(self, writer: Writer, members: Rows, firsts: dict[str, int]) -> None:
        held = [
            (place, row["role"])
            for place, member in enumerate(members)
            for row in self.found["membership_role"]
            if row["membership_id"] == member["id"]
        ]
        role = Stencil(_table("membership_role"), {}, "membership_id", "role", "account_id")
        writer.fill(
            role,
            (
                role.row(
                    firsts["membership"] + copy * len(members) + place,
                    name,
                    firsts["account"] + copy,
                )
                for copy in range(self.size.accounts)
                for place, name in held
            ),
        )

    def _prices(self, writer: Writer) -> None:
        """Write a standard price per product, and one agreement's list after the other."""
        standard = self._first("price_list", kind="standard", currency="EUR")
        version = self._first("price_list_version", list_id=standard["id"])
        lists = Stencil(
            _table("price_list"), standard | {"kind": "agreement"}, "id", "code", "name"
        )
        versions = Stencil(_table("price_list_version"), version, "id", "list_id")
        first_list = writer.last_id(_table("price_list")) + 1
        first_version = writer.last_id(_table("price_list_version")) + 1
        many = range(self.size.lists)
        writer.fill(
            lists, (lists.row(first_list + n, f"AGR-{n:05d}", f"Agreement {n:05d}") for n in many)
        )
        writer.fill(versions, (versions.row(first_version + n, first_list + n) for n in many))
        self._entries(writer, version["id"], first_version)
        self._assignments(writer, first_list)

    def _entries(self, writer: Writer, standard_version: int, first_version: int) -> None:
        like = self._first("price_entry", kind="price", version_id=standard_version)
        stencil = Stencil(
            _table("price_entry"), like, "id", "version_id", "product_id", "min_quantity", "value"
        )
        first = writer.last_id(stencil.table) + 1
        wanted = max(self.size.entries - len(self.sold), self.size.lists)

        def rows() -> Iterator[Row]:
            key = first
            for sold in self.sold:
                yield stencil.row(key, standard_version, sold.id, Decimal(1), sold.price)
                key += 1
            for number in range(self.size.lists):
                share = wanted // self.size.lists + (number < wanted % self.size.lists)
                start = self.random.randrange(len(self.sold))
                for step in range(share):
                    turn, place = divmod(start + step * 7, len(self.sold))
                    sold = self.sold[place]
                    least = Decimal(1) if step < len(self.sold) else Decimal(10 * (turn + 1))
                    percent = self.random.randrange(70, 96)
                    price = (sold.price * percent / 100).quantize(Decimal("0.01"))
                    yield stencil.row(key, first_version + number, sold.id, least, price)
                    key += 1

        writer.fill(stencil, rows())

    def _assignments(self, writer: Writer, first_list: int) -> None:
        """Give each account one list by an agreement; the measured account gets two."""
        acme = self.found["account"][0]["id"]
        known = self._first("price_assignment", tier="gold") | {"tier": None}
        taken = {row["list_id"] for row in self.found["agreement_list"]}
        reached = [(acme, first_list), (acme, first_list + 1)]
        reached += [
            (member.account_id, first_list + place % self.size.lists)
            for place, member in enumerate(self.members)
        ]
        assignment = Stencil(_table("price_assignment"), known, "id", "list_id", "account_id")
        above = writer.last_id(assignment.table) + 1
        writer.fill(
            assignment,
            (
                assignment.row(above + place, price_list, account)
                for place, (account, price_list) in enumerate(reached)
            ),
        )
        like = self.found["agreement"][0]
        carried = next(row for row in self.found["agreement_list"] if row["list_id"] in taken)
        agreements = Stencil(_table("agreement"), like, "id", "account_id", "number")
        lists = Stencil(
            _table("agreement_list"), carried, "id", "account_id", "agreement_id", "list_id"
        )
        first = writer.last_id(agreements.table) + 1
        first_carried = writer.last_id(lists.table) + 1
        writer.fill(
            agreements,
            (
                agreements.row(first + place, account, f"AGR-B-{place:06d}")
                for place, (account, _list) in enumerate(reached)
            ),
        )
        writer.fill(
            lists,
            (
                lists.row(first_carried + place, account, first + place, price_list)
                for place, (account, price_list) in enumerate(reached)
            ),
        )

    def _orders(self, writer: Writer) -> None:
        """Write quotes with their revisions and lines, and the orders that were made of them."""
        like = self.found["purchase_order"][0]
        member = Member(
            like["account_id"],
            like["unit_id"],
            like["membership_id"],
            self._first("membership", id=like["membership_id"])["person_id"],
        )
        Orders(self, writer, member).write()


class Orders:
    """The orders of a world: of each quote a few, each over all of its lines."""

    def __init__(self, builder: _Builder, writer: Writer, measured: Member) -> None:
        self.builder, self.writer, self.measured = builder, writer, measured
        self.quotes = -(-builder.size.orders // ORDERS_OF_A_QUOTE)
        self.totals: dict[int, Decimal] = {}
        self.firsts = {
            name: writer.last_id(_table(name)) + 1
            for name in (
                "quote", "quote_revision", "quote_line", "approval_run", "purchase_order",
                "purchase_order_line",
            )
        }  # fmt: skip

    def write(self) -> None:
        """Write each table as a whole; the same numbers come from the same seed each time."""
        self._quotes()
        self._revisions()
        self._runs()
        self._quote_lines()
        self._purchase_orders()
        self._order_lines()
        for name, kind, many in (
            ("quote", "quote", self.quotes),
            ("purchase_order", "order", self.builder.size.orders),
        ):
            last = self._last_number(name) + many
            self.writer.execute(
                f"update number_counter set last = {last} where kind = '{kind}'"  # noqa: S608
            )

    def _last_number(self, name: str) -> int:
        return int(self.builder.found[name][0]["number"].rpartition("-")[2])

    def _owner(self, quote: int) -> Member:
        """Return whose quote this is: the measured account's ones lie between the others."""
        mine = -(-self.builder.size.of_one_account // ORDERS_OF_A_QUOTE)
        every = max(self.quotes // mine, 1)
        if quote % every == 0 and quote // every < mine:
            return self.measured
        return self.builder.members[quote % len(self.builder.members)]

    def _age(self, quote: int) -> float:
        """Return how long ago it was, from 1 (three years) to 0 (now)."""
        return 1 - quote / self.quotes

    def _at(self, quote: int) -> datetime:
        return self.builder.now - YEARS * self._age(quote) - timedelta(hours=2)

    def _sold(self, quote: int) -> list[tuple[Sold, int]]:
        """Return what a quote holds and how many of it each of its orders takes.

        It is asked again for each table, so it is reckoned, not drawn.
        """
        sold, start = self.builder.sold, quote * 2_654_435_761 + SEED
        return [
            (sold[(start + place * 40_503) % len(sold)], (start >> (place + 3)) % 8 + 1)
            for place in range(LINES_OF_AN_ORDER)
        ]

    def _total(self, quote: int) -> Decimal:
        if quote not in self.totals:
            self.totals[quote] = sum(
                (sold.price * count for sold, count in self._sold(quote)), Decimal(0)
            )
        return self.totals[quote]

    def _quotes(self) -> None:
        like = self.builder.found["quote"][0]
        stencil = Stencil(
            _table("quote"), like | {"revision": 1, "reference": None},
            "id", "account_id", "unit_id", "membership_id", "number", "title", "net_total",
            "created_at", "changed_at", "valid_until",
        )  # fmt: skip
        number = self._last_number("quote") + 1

        def rows() -> Iterator[Row]:
            for quote in range(self.quotes):
                owner, at = self._owner(quote), self._at(quote)
                yield stencil.row(
                    self.firsts["quote"] + quote, owner.account_id, owner.unit_id,
                    owner.membership_id, f"Q-{number + quote:06d}", f"Needs {quote:06d}",
                    self._total(quote) * ORDERS_OF_A_QUOTE, at, at, at + timedelta(days=30),
                )  # fmt: skip

        self.writer.fill(stencil, rows())

    def _revisions(self) -> None:
        like = self.builder.found["quote_revision"][0] | {"number": 1}
        like |= {"ship_to_address_id": None, "cost_centre_id": None}
        stencil = Stencil(
            _table("quote_revision"), like,
            "id", "account_id", "quote_id", "created_at", "submitted_at", "submitted_by_id",
            "closed_at", "valid_until", "lines_total", "net_total", "gross_total",
        )  # fmt: skip

        def rows() -> Iterator[Row]:
            for quote in range(self.quotes):
                owner, at = self._owner(quote), self._at(quote)
                total = self._total(quote) * ORDERS_OF_A_QUOTE
                yield stencil.row(
                    self.firsts["quote_revision"] + quote, owner.account_id,
                    self.firsts["quote"] + quote, at, at, owner.membership_id, at,
                    at + timedelta(days=30), total, total, total,
                )  # fmt: skip

        self.writer.fill(stencil, rows())

    def _runs(self) -> None:
        like = self.builder.found["approval_run"][0] | {"policy_id": None}
        stencil = Stencil(
            _table("approval_run"), like,
            "id", "account_id", "unit_id", "subject_id", "number", "requester_id", "total",
            "requester_person_ids", "started_at", "finished_at",
        )  # fmt: skip
        number = self._last_number("quote") + 1

        def rows() -> Iterator[Row]:
            for quote in range(self.quotes):
                owner, at = self._owner(quote), self._at(quote)
                yield stencil.row(
                    self.firsts["approval_run"] + quote, owner.account_id, owner.unit_id,
                    self.firsts["quote_revision"] + quote, f"Q-{number + quote:06d}",
                    owner.membership_id, self._total(quote) * ORDERS_OF_A_QUOTE,
                    [owner.person_id], at, at,
                )  # fmt: skip

        self.writer.fill(stencil, rows())

    def _quote_lines(self) -> None:
        like = self.builder.found["quote_line"][0]
        like |= {"cost_centre_id": None, "ship_to_address_id": None}
        stencil = Stencil(
            _table("quote_line"), like,
            "id", "account_id", "revision_id", "line_id", "position", "product_id", "sku", "name",
            "quantity", "list_price", "unit_price", "line_total",
        )  # fmt: skip

        def rows() -> Iterator[Row]:
            for quote in range(self.quotes):
                owner = self._owner(quote)
                for place, (sold, count) in enumerate(self._sold(quote)):
                    quantity = Decimal(count * ORDERS_OF_A_QUOTE)
                    yield stencil.row(
                        self.firsts["quote_line"] + quote * LINES_OF_AN_ORDER + place,
                        owner.account_id, self.firsts["quote_revision"] + quote, place + 1,
                        place + 1, sold.id, sold.sku, sold.name, quantity, sold.price, sold.price,
                        sold.price * quantity,
                    )  # fmt: skip

        self.writer.fill(stencil, rows())

    def _purchase_orders(self) -> None:
        like = self.builder.found["purchase_order"][0] | {"placing_key": None}
        stencil = Stencil(
            _table("purchase_order"), like | {"valid_lines": LINES_OF_AN_ORDER},
            "id", "account_id", "unit_id", "membership_id", "number", "quote_id", "revision_id",
            "run_id", "status", "purchase_order_number", "lines_total", "list_total",
            "listed_total", "net_total", "gross_total", "conversion_key", "created_at", "placed_at",
            "confirmed_at", "shipped_at", "delivered_at", "ended_at",
        )  # fmt: skip
        number = self._last_number("purchase_order") + 1

        def rows() -> Iterator[Row]:
            for place in range(self.builder.size.orders):
                quote = place // ORDERS_OF_A_QUOTE
                owner, at, total = self._owner(quote), self._at(quote), self._total(quote)
                state = self._state(place)
                confirmed = at + timedelta(hours=1) if state in _ANSWERED else None
                done = at + timedelta(hours=2) if state is OrderStatus.CLOSED else None
                yield stencil.row(
                    self.firsts["purchase_order"] + place, owner.account_id, owner.unit_id,
                    owner.membership_id, f"O-{number + place:06d}",
                    self.firsts["quote"] + quote, self.firsts["quote_revision"] + quote,
                    self.firsts["approval_run"] + quote, state, f"45{place:08d}", total, total,
                    total, total, total, f"bench-{place}", at, at, confirmed, done, done, done,
                )  # fmt: skip

        self.writer.fill(stencil, rows())

    def _state(self, place: int) -> OrderStatus:
        """Return where an order stands: old ones are closed, a few were given up."""
        if place % 17 == 0:
            return OrderStatus.CANCELLED
        if self._age(place // ORDERS_OF_A_QUOTE) > 0.05:  # noqa: PLR2004 - two months
            return OrderStatus.CLOSED
        return OrderStatus.PLACED if place % 3 == 0 else OrderStatus.CONFIRMED

    def _order_lines(self) -> None:
        like = self.builder.found["purchase_order_line"][0]
        stencil = Stencil(
            _table("purchase_order_line"), like,
            "id", "account_id", "order_id", "quote_id", "line_id", "position", "product_id",
            "sku", "name", "quantity", "list_price", "unit_price", "line_total", "cancelled",
            "reopened", "shipped", "delivered", "shipped_on", "delivered_on",
        )  # fmt: skip
        zero = Decimal(0)

        def rows() -> Iterator[Row]:
            key = self.firsts["purchase_order_line"]
            for place in range(self.builder.size.orders):
                quote, state = place // ORDERS_OF_A_QUOTE, self._state(place)
                owner, day = self._owner(quote), self._at(quote).date()
                left = state is OrderStatus.CLOSED
                for position, (sold, count) in enumerate(self._sold(quote), 1):
                    gone = Decimal(count) if state is OrderStatus.CANCELLED else zero
                    sent = Decimal(count) if left else zero
                    yield stencil.row(
                        key, owner.account_id, self.firsts["purchase_order"] + place,
                        self.firsts["quote"] + quote, position, position, sold.id, sold.sku,
                        sold.name, Decimal(count), sold.price, sold.price, sold.price * count,
                        gone, gone, sent, sent, day if left else None, day if left else None,
                    )  # fmt: skip
                    key += 1

        self.writer.fill(stencil, rows())


_ANSWERED: Final = frozenset({OrderStatus.CONFIRMED, OrderStatus.CLOSED})


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _index(app: Flask) -> None:
    """Write the words of the new products, as an import of them would."""
    with app.app_context():
        for ids in in_pages(db.session.scalars(select(Product.id)).all(), INDEXED_AT_ONCE):
            with transaction():
                index_products(ids)
