"""What is sold in the world: the shipped products many times over, or real ones from files."""

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any, Final

from sqlalchemy import select

from portal.catalog.models import Category, Product, ProductAttribute
from portal.db import db

MOST_ATTRIBUTES: Final = 6
_FIRST: Final = ("name", "price")


@dataclass(frozen=True, slots=True)
class Good:
    """One product before it is in a table."""

    sku: str
    name: str
    category: str
    price: Decimal
    manufacturer: str | None = None
    mpn: str | None = None
    description: str | None = None
    names: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


def multiplied(goods: Sequence[Good], wanted: int) -> Iterator[Good]:
    """Yield as many products as wanted: each once, then copies with a number of their own."""
    return islice(
        (_copy(good, turn) if turn else good for turn in count() for good in goods), wanted
    )


def _copy(good: Good, turn: int) -> Good:
    return replace(
        good,
        sku=f"{good.sku}-{turn:03d}",
        name=f"{good.name} {turn:03d}",
        names={tag: f"{name} {turn:03d}" for tag, name in good.names.items()},
        mpn=f"{good.mpn}-{turn}" if good.mpn else None,
    )


def shipped(random: Random) -> list[Good]:
    """Return the products of the demo, which are already in the database, as first copies."""
    attributes: dict[int, dict[str, str]] = {}
    for product_id, name, value in db.session.execute(
        select(ProductAttribute.product_id, ProductAttribute.name, ProductAttribute.value)
    ):
        attributes.setdefault(product_id, {})[name] = value
    rows = db.session.execute(
        select(Product, Category.path).join(Category).order_by(Product.sku)
    ).all()
    return [
        Good(
            sku=f"{product.sku}-X",
            name=product.name,
            category=path,
            price=_some_price(random),
            manufacturer=product.manufacturer,
            mpn=product.mpn,
            description=product.description,
            names=product.names,
            attributes=attributes.get(product.id, {}),
        )
        for product, path in rows
    ]


def from_folder(folder: Path, random: Random) -> list[Good]:
    """Return the products of a folder of real data: CSV files of parts and JSON lines of devices.

    A file is a category; a row without a price is given one.
    """
    goods: list[Good] = []
    for path in sorted(folder.rglob("*.csv")):
        goods.extend(_parts(path, random))
    for path in sorted(folder.rglob("*.jsonl.gz")):
        goods.extend(_devices(path, random))
    if not goods:
        message = f"{folder} holds neither *.csv with a column name nor *.jsonl.gz"
        raise ValueError(message)
    return goods


def _parts(path: Path, random: Random) -> Iterator[Good]:
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.DictReader(lines)
        if not set(_FIRST) <= set(reader.fieldnames or ()):
            return  # another kind of table, for example of orders
        for number, row in enumerate(reader, 1):
            others = {
                key.replace("_", " ").capitalize(): value[:300]
                for key, value in row.items()
                if key not in _FIRST and value
            }
            yield Good(
                sku=f"{path.stem.upper()[:12]}-{number:05d}",
                name=row["name"][:300],
                category=_title(path.stem),
                price=_price(row["price"]) or _some_price(random),
                manufacturer=row["name"].partition(" ")[0],
                attributes=dict(islice(others.items(), MOST_ATTRIBUTES)),
            )


def _devices(path: Path, random: Random) -> Iterator[Good]:
    kind = path.name.partition(".")[0]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            facts = json.loads(line)["metadata"]
            numbers = facts.get("part_numbers") or [None]
            yield Good(
                sku=f"{kind.upper()[:12]}-{number:05d}",
                name=str(facts["name"])[:300],
                category=kind,
                price=_some_price(random),
                manufacturer=facts.get("manufacturer"),
                mpn=numbers[0],
            )


def _title(stem: str) -> str:
    return stem.replace("-", " ").capitalize()


def _price(text: str) -> Decimal | None:
    try:
        return Decimal(text).quantize(Decimal("0.01")) if text else None
    except InvalidOperation:
        return None


def _some_price(random: Random) -> Decimal:
    """Return a price between 5 and 2,500: as many below a hundred as above, as in a shop."""
    return Decimal(round(500 * 500 ** random.random())) / 100
