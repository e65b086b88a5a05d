"""Make up what the demo has in stock, and the orders of an earlier system.

Usage: python scripts/derive_demo_history.py

Reads ``products.csv`` and ``price-entries.csv`` of the demo and writes ``stock.csv`` and
``orders.csv`` beside them, the same on every run (one seed). All of it is invented.
"""

import csv
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

DATA = Path(__file__).parent.parent / "portal" / "demo" / "data"
SEED = 20260101
UNTIL = datetime(2026, 10, 31, 12, tzinfo=UTC)
MONTHS, DAYS = 24, 730
NOT_STOCKED = ("Software",)
SPARE_FAMILIES = ("MM", "SD", "PS", "FN", "KB", "CL")
NAMED = 5
"""Products of each family that the stories are told with: there is always enough of them."""
SOLD_OUT = ("WC-0007",)
RUNNING_OUT = (42,)
"""Products of each family of which less lies there than they are ordered again at."""
ENDED = (("LX-1100", "Laptop LX 1100 14 in"), ("MX-24", "Monitor MX 24 in"))
CENT, HUNDRED = Decimal("0.01"), Decimal(100)

Row = dict[str, str]


@dataclass(frozen=True)
class Customer:
    """Who ordered in the earlier system, how often and in which currency."""

    account: str
    currency: str
    price_list: str
    step: Decimal
    prefix: str
    orders: int
    buyers: tuple[tuple[str, str], ...]


CUSTOMERS = (
    Customer(
        "ACME", "EUR", "STD-EUR", CENT, "SO-2", 120,
        (("buyer@acme.example", "IT"), ("purchasing@acme.example", "HQ"),
         ("research.buyer@acme.example", "RND"), ("m.frueher@acme.example", "FIN")),
    ),
    Customer(
        "HANBIT", "KRW", "STD-KRW", HUNDRED, "HB-", 60,
        (("buyer@hanbit.example", "IT"), ("fab.buyer@hanbit.example", "FAB"),
         ("purchasing@hanbit.example", "SEOUL")),
    ),
)  # fmt: skip
OLD = {
    "ACME": (
        "SO-110042",
        datetime(2020, 11, 17, 9, tzinfo=UTC),
        "4500001177",
        "buyer@acme.example",
    ),
    "HANBIT": ("HB-0417", datetime(2020, 12, 3, 3, tzinfo=UTC), "HB-118", "buyer@hanbit.example"),
}
"""One order of six years ago for each, of the unit IT: number, when, purchase order, person."""


def main() -> None:
    """Write both files."""
    dice = random.Random(SEED)  # noqa: S311 - made-up data, not a secret
    products = read("products")
    _write("stock", stock_rows(products, dice))
    prices = {
        (row["list_code"], row["sku"]): Decimal(row["price"])
        for row in read("price-entries")
        if row["price"] and row["min_qty"] == "1" and row["uom"] == "EA"
    }
    rows: list[Row] = []
    for customer in CUSTOMERS:
        rows += order_rows(customer, products, prices, dice)
    _write("orders", rows)


def read(kind: str) -> list[Row]:
    """Read one of the demo's files."""
    with (DATA / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(kind: str, rows: Sequence[Row]) -> None:
    with (DATA / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def stock_rows(products: Iterable[Row], dice: random.Random) -> list[Row]:
    """Return what lies where: Berlin has almost all, Seoul half, the workshop spare parts.

    A well-run stock: here and there something runs out, the rest lies well above where it is
    ordered again.
    """
    rows: list[Row] = []
    for product in products:
        is_sold = product["status"] == "active"
        if product["category_path"].startswith(NOT_STOCKED) or not is_sold:
            continue
        family, _dash, number = product["sku"].rpartition("-")
        is_named = int(number) <= NAMED
        level = dice.choice((5, 10, 20, 40))
        held = dice.choice((level * 2, level * 4, level * 3, level * 6, level * 10))
        if int(number) in RUNNING_OUT:
            held = level // 2
        if product["sku"] in SOLD_OUT:
            held = 0
        rows.append(_stock("BERLIN", product["sku"], max(held, 60 if is_named else 0), level))
        if dice.random() < 0.5:  # noqa: PLR2004 - every second product
            rows.append(_stock("SEOUL", product["sku"], dice.randrange(0, 60), level // 2))
        if family in SPARE_FAMILIES and int(number) <= NAMED * 2:
            rows.append(_stock("REPAIR-BER", product["sku"], max(dice.randrange(0, 9), 4), 3))
    return sorted(rows, key=lambda row: (row["location_code"], row["sku"]))


def _stock(location: str, sku: str, quantity: int, level: int) -> Row:
    return {
        "location_code": location,
        "sku": sku,
        "quantity": str(quantity),
        "reorder_level": str(level),
    }


def order_rows(
    customer: Customer,
    products: Sequence[Row],
    prices: dict[tuple[str, str], Decimal],
    dice: random.Random,
) -> list[Row]:
    """Return the orders of one customer, the oldest first: few at first, more every quarter."""
    sold = [row for row in products if (customer.price_list, row["sku"]) in prices]
    number, placed, purchase_order, person = OLD[customer.account]
    head = _head(customer, number, placed, purchase_order, person, "IT", "delivered")
    rows = [_ended(head, place, customer) for place in range(len(ENDED))]
    rows.append(_line(head, len(ENDED) + 1, sold[0], Decimal(3), prices, customer, Decimal("1.1")))
    moments = sorted(
        UNTIL - timedelta(days=DAYS * dice.random() ** 1.3) for _order in range(customer.orders)
    )
    for place, moment in enumerate(moments, start=1):
        email, unit = dice.choice(customer.buyers)
        status = dice.choices(("delivered", "closed", "returned"), (70, 27, 3))[0]
        at = moment.replace(
            hour=dice.randrange(6, 16), minute=dice.randrange(60), second=0, microsecond=0
        )
        head = _head(
            customer, f"{customer.prefix}{place:05d}", at, f"{4500010000 + place * 7}", email, unit,
            status,
        )  # fmt: skip
        age = Decimal((UNTIL - moment).days) / DAYS
        for position, product in enumerate(dice.sample(sold, dice.choice((1, 1, 2, 3, 4))), 1):
            quantity = Decimal(dice.choice((1, 1, 2, 4, 5, 10, 20)))
            then = (1 + age / 10) * (Decimal("0.92") if quantity >= 10 else Decimal("0.97"))  # noqa: PLR2004 - the break
            rows.append(_line(head, position, product, quantity, prices, customer, then))
    return rows


def _head(  # noqa: PLR0913, PLR0917 - the columns of a file
    customer: Customer,
    number: str,
    placed: datetime,
    purchase_order: str,
    email: str,
    unit: str,
    status: str,
) -> Row:
    return {
        "order_number": number,
        "account_code": customer.account,
        "unit_code": unit,
        "person_email": email,
        "placed_at": placed.isoformat().replace("+00:00", "Z"),
        "purchase_order_number": purchase_order,
        "currency": customer.currency,
        "status": status,
    }


def _ended(head: Row, place: int, customer: Customer) -> Row:
    sku, name = ENDED[place]
    price = Decimal("899.00") if customer.currency == "EUR" else Decimal(1200000)
    price /= 1 + 3 * place
    return _figures(head, place + 1, sku, name, Decimal(2), price)


def _line(  # noqa: PLR0913, PLR0917 - the columns of a file
    head: Row,
    position: int,
    product: Row,
    quantity: Decimal,
    prices: dict[tuple[str, str], Decimal],
    customer: Customer,
    then: Decimal,
) -> Row:
    today = prices[customer.price_list, product["sku"]]
    price = (today * then / customer.step).quantize(Decimal(1), ROUND_HALF_UP) * customer.step
    return _figures(head, position, product["sku"], product["name"], quantity, price)


def _figures(
    head: Row, position: int, sku: str, name: str, quantity: Decimal, price: Decimal
) -> Row:
    return {
        **{key: head[key] for key in list(head)[:-1]},
        "position": str(position),
        "sku": sku,
        "name": name,
        "quantity": f"{quantity:f}",
        "uom": "EA",
        "unit_price": f"{price:f}",
        "line_total": f"{price * quantity:f}",
        "status": head["status"],
    }


if __name__ == "__main__":
    main()
