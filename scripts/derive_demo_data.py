"""Derive the demo catalogue (products, prices, costs, part numbers) from public product data.

Usage: python scripts/derive_demo_data.py INPUT_DIR

INPUT_DIR holds ``pc-part-dataset/*.csv`` and ``it-products/*.jsonl.gz``. The result is the same
on every run and goes to ``portal/demo/data``; accounts, people and rates there are written by hand.
"""

import csv
import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from demo_families import (
    ACCESSORIES,
    COMPUTER_PRICE,
    COMPUTER_PRICES,
    GRAPHICS_PRICES,
    Attributes,
    Family,
    Row,
    computer,
    read_families,
)

HERE = Path(__file__).parent
FAMILIES = read_families(HERE / "demo_families.csv")
OUT = HERE.parent / "portal" / "demo" / "data"
LANGUAGES = ("zh-Hans", "zh-Hant", "ko")
CENT, WON = Decimal("0.01"), Decimal(100)
EUR_PER_USD, KRW_PER_USD = Decimal("0.92"), Decimal(1390)
CHEAPEST, DEAREST = Decimal(4), Decimal(9000)
LONGEST_NAME = 96
BOXED_BELOW = Decimal(10)
TWO_WORD_MAKERS = (
    "Western Digital", "Cooler Master", "be quiet!", "Creative Labs", "Lian Li",
    "Fractal Design", "Thermal Grizzly",
)  # fmt: skip
MAKER_NAMES = {"HP OMEN": "HP", "Dell / Alienware": "Dell", "Alienware": "Dell", "ASUS": "Asus",
               "GIGABYTE": "Gigabyte", "NETGEAR": "Netgear", "Siig": "SIIG"}  # fmt: skip
COMPUTER_MAKERS = {"Dell", "HP", "Lenovo", "Apple", "Asus", "Acer", "MSI", "Samsung", "Gigabyte",
                   "Razer", "Corsair"}  # fmt: skip
SUCCESSIONS = (
    ("Microsoft Windows 10 Home", "Microsoft Windows 11 Home"),
    ("Microsoft Windows 10 Pro", "Microsoft Windows 11 Pro"),
    ("Samsung Galaxy Book4 Pro 360", "Samsung Galaxy Book5 Pro 360"),
)
LAPTOP = ("笔记本电脑", "筆記型電腦", "노트북")
DESKTOP = ("台式电脑", "桌上型電腦", "데스크톱")
WORKSTATION = ("工作站", "工作站", "워크스테이션")
LAPTOPS, ACCESSORY_COUNT = 90, 26
# Part numbers in the source are mixed with shop numbers, hashes and page names.
SHOP_NUMBER = re.compile(
    r"\d{7,}|[0-9a-f]{16}|.*[a-z] [a-z].*|[a-z].*-.*(desktop|laptop|aio|micro|client|workstation).*"
)


@dataclass(frozen=True)
class Product:
    """One product of the demo catalogue; the price is in US dollars."""

    sku: str
    name: str
    maker: str
    category: str
    noun: str
    words: tuple[str, str, str]
    price: Decimal
    attributes: Attributes
    mpn: str = ""
    uom: str = "EA"
    pack: int = 1
    lead_time_days: int = 3
    successor: str = ""
    box: int = field(default=0)

    @property
    def description(self) -> str:
        """One sentence of our own out of the attributes."""
        facts = ", ".join(f"{name.lower()} {value}" for name, value in self.attributes.items())
        return f"{self.noun} by {self.maker}" + (f" with {facts}." if facts else ".")

    @property
    def eur(self) -> Decimal:
        """List price in euros."""
        return (self.price * EUR_PER_USD).quantize(CENT, ROUND_HALF_UP)

    @property
    def krw(self) -> Decimal:
        """List price in won, to the hundred."""
        return (self.price * KRW_PER_USD / WON).quantize(Decimal(1), ROUND_HALF_UP) * WON


def maker_of(name: str) -> str:
    """Take the manufacturer off the front of a product name."""
    for maker in TWO_WORD_MAKERS:
        if name.startswith(maker):
            return maker
    return name.split(" ", 1)[0]


def part_number(model: str) -> str:
    """Take a model name for the part number where it looks like one."""
    return model if " " not in model and re.search(r"\d", model) and len(model) > 3 else ""  # noqa: PLR2004 -- shorter ones are product lines


def read_parts(folder: Path, family: Family) -> Iterator[tuple[Row, str, str]]:
    """Yield the usable rows of one family with maker and name, in the order of the source."""
    with (folder / f"{family.source}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = re.sub(r"^(\w+) \1 ", r"\1 ", row["name"])
            maker = maker_of(name)
            wanted = not family.makers or maker in family.makers
            wanted = wanted and not re.search(r"Windows [78]", name)
            if wanted and row["price"] and CHEAPEST <= Decimal(row["price"]) <= DEAREST:
                yield row, maker, name


def make_name(name: str, family: Family, attributes: Attributes) -> str:
    """Add to a name the attributes that tell its variants apart."""
    extra = [attributes[key] for key in family.title if key in attributes]
    return ", ".join([name, *(value for value in extra if value not in name)])[:LONGEST_NAME]


def derive_parts(folder: Path, family: Family, numbers: dict[str, str]) -> list[Product]:
    """Make the products of one family."""
    made: dict[str, Product] = {}
    for row, maker, raw_name in read_parts(folder, family):
        attributes = family.attributes(row)
        name = make_name(raw_name, family, attributes)
        if name.lower() in made or len(made) == family.limit:
            continue
        made[name.lower()] = Product(
            sku=f"{family.prefix}-{len(made) + 1:04}",
            name=name,
            maker=maker,
            category=family.category,
            noun=family.noun,
            words=family.words,
            price=Decimal(row["price"]),
            attributes=attributes,
            mpn=numbers.get(raw_name.lower()) or part_number(raw_name[len(maker) + 1 :]),
            lead_time_days=family.lead_time_days,
        )
    return [package(product) for product in made.values()]


def package(product: Product) -> Product:
    """State how small goods are sold: three-packs, tubes by the five, cheap things by the box."""
    if "3-Pack" in product.name:
        return replace(product, uom="PK", box=3)
    if product.noun == "Thermal paste":
        return replace(product, pack=5, box=10)
    if product.noun in {"Cable", "Mouse pad"} or (
        product.noun == "Case fan" and product.price < BOXED_BELOW
    ):
        return replace(product, pack=10, box=10)
    return product


def read_items(folder: Path, stem: str) -> Iterator[tuple[str, str, str]]:
    """Yield maker, name and part number of one file of the part-number source."""
    with gzip.open(folder / f"{stem}.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            meta = json.loads(line)["metadata"]
            maker = meta.get("manufacturer", "")
            numbers = [n for n in meta["part_numbers"] if n and not SHOP_NUMBER.fullmatch(n)]
            name = re.sub(r"\s*\([A-Z0-9/ #-]+\)|[™®]", "", meta["name"]).replace(" | ", " ")
            mpn = numbers[0] if numbers else ""
            yield MAKER_NAMES.get(maker, maker), name[:LONGEST_NAME].strip(" -,"), mpn


def computer_price(name: str, attributes: Attributes) -> Decimal:
    """Make up a list price: the line, the graphics chip, and a step that differs by name."""
    base = next((price for word, price in COMPUTER_PRICES if word in name), COMPUTER_PRICE)
    graphics = GRAPHICS_PRICES.get(attributes.get("Graphics", ""), 0)
    return Decimal(base + graphics + sum(map(ord, name)) % 9 * 10)


def computer_kind(stem: str, name: str) -> tuple[str, str, str, tuple[str, str, str]]:
    """Tell SKU prefix, category, noun and words of a computer."""
    if stem == "Laptop":
        return "LT", "Hardware/Laptops", "Laptop", LAPTOP
    if re.search(r"Precision|Pro Max|Workstation|Mac Studio|Mac Pro", name):
        return "WS", "Hardware/Workstations", "Workstation", WORKSTATION
    return "DT", "Hardware/Desktops", "Desktop computer", DESKTOP


def derive_computers(folder: Path, stem: str) -> list[Product]:
    """Make the laptops or the desktops."""
    made: dict[str, Product] = {}
    counts: dict[str, int] = {}
    for maker, name, mpn in read_items(folder, stem):
        if maker not in COMPUTER_MAKERS or name.lower() in made or len(made) == LAPTOPS:
            continue
        prefix, category, noun, words = computer_kind(stem, name)
        counts[prefix] = counts.get(prefix, 0) + 1
        attributes = computer(name)
        made[name.lower()] = Product(
            sku=f"{prefix}-{counts[prefix]:04}", name=name, maker=maker, category=category,
            noun=noun, words=words, price=computer_price(name, attributes), attributes=attributes,
            mpn=mpn, lead_time_days=10,
        )  # fmt: skip
    return list(made.values())


def derive_accessories(folder: Path) -> list[Product]:
    """Make the office accessories among the gaming ones."""
    made: dict[str, Product] = {}
    for maker, name, mpn in read_items(folder, "Accessory"):
        kind = next((kind for kind in ACCESSORIES if kind[0] in name), None)
        if not kind or name.lower() in made or len(made) == ACCESSORY_COUNT:
            continue
        if re.search(r"PS5|Keycap|Kishi", name):
            continue
        attributes = {k: v for k, v in computer(name).items() if k == "Color"}
        made[name.lower()] = package(Product(
            sku=f"AC-{len(made) + 1:04}", name=name, maker=maker, category="Accessories",
            noun=kind[1], words=kind[2], price=Decimal(kind[3]), attributes=attributes, mpn=mpn,
        ))  # fmt: skip
    return list(made.values())


def retire(products: list[Product]) -> list[Product]:
    """Mark what has a successor: the lines below, and the last product of the larger families."""
    latest = {product.sku[:2]: product.sku for product in products}
    firsts = {family.prefix: f"{family.prefix}-0001" for family in FAMILIES if family.limit >= 30}  # noqa: PLR2004 -- the larger ones

    def successor(product: Product) -> str:
        for old, new in SUCCESSIONS:
            if product.name.startswith(old):
                return next(other.sku for other in products if other.name.startswith(new))
        is_latest = latest[product.sku[:2]] == product.sku
        return firsts.get(product.sku[:2], "") if is_latest else ""

    return [replace(product, successor=successor(product)) for product in products]


def write(kind: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one import file."""
    with (OUT / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def product_rows(products: Sequence[Product], names: Sequence[str]) -> Iterator[list[object]]:
    """Yield the rows of the products import."""
    for item in products:
        yield [
            item.sku, item.name, item.description, item.category, item.uom,
            "eol" if item.successor else "active", item.successor, item.lead_time_days,
            item.pack, item.pack, item.maker, item.mpn, "S",
            *(f"{word} {item.name}" for word in item.words),
            *(item.attributes.get(name, "") for name in names),
        ]  # fmt: skip


def write_products(products: Sequence[Product]) -> None:
    """Write products and their units of measure."""
    names = sorted({name for product in products for name in product.attributes})
    columns = [
        "sku", "name", "description", "category_path", "uom", "status", "successor_sku",
        "lead_time_days", "min_quantity", "quantity_multiple", "manufacturer", "mpn",
        "tax_category", *(f"name:{language}" for language in LANGUAGES),
        *(f"attr:{name}" for name in names),
    ]  # fmt: skip
    write("products", columns, product_rows(products, names))
    boxed = [product for product in products if product.box]
    write(
        "uom-conversions",
        ["sku", "from_uom", "to_uom", "factor"],
        [
            [item.sku, *(("PK", "EA") if item.uom == "PK" else ("BX", "EA")), item.box]
            for item in boxed
        ],
    )


def standard_rows(products: Sequence[Product]) -> Iterator[list[object]]:
    """Yield the standard lists: every product, and boxes a little cheaper than their contents."""
    for item in products:
        for code, price, step in (("STD-EUR", item.eur, CENT), ("STD-KRW", item.krw, WON)):
            yield [code, item.sku, "", item.uom, 1, price, "", "", "", ""]
            if item.box and item.uom == "EA":
                box = (price * item.box * Decimal("0.95") / step).quantize(Decimal(1)) * step
                yield [code, item.sku, "", "BX", 1, box, "", "", "", ""]


CATEGORY_TERMS = (
    # list, category, from quantity, percent off
    ("AG-7", "Hardware", 1, 5), ("AG-7", "Hardware", 10, 7), ("AG-7", "Hardware", 20, 9),
    ("AG-7", "Hardware/Laptops", 1, 8), ("AG-7", "Hardware/Laptops", 10, 10),
    ("AG-7", "Hardware/Laptops", 20, 12), ("AG-7", "Networking", 1, 6),
    ("AG-7", "Networking", 20, 11), ("AG-7", "Software", 1, 3),
    ("ACME-RND", "Peripherals/Monitors", 1, 10), ("ACME-RND", "Peripherals/Monitors", 10, 14),
    ("TIER-GOLD", "Peripherals", 1, 4), ("TIER-GOLD", "Accessories", 1, 5),
    ("AG-21", "Hardware/Components", 1, 6), ("AG-21", "Hardware/Components", 20, 9),
    ("AG-21", "Hardware/Components/Memory", 1, 10), ("AG-21", "Hardware/Components/Memory", 50, 15),
    ("AG-21", "Peripherals", 1, 5), ("SEG-ELEC", "Hardware/Laptops", 1, 4),
)  # fmt: skip
FIXED_SHARES = ((1, Decimal("0.86")), (10, Decimal("0.84")), (20, Decimal("0.81")))


def fixed_rows(products: Sequence[Product]) -> Iterator[list[object]]:
    """Yield the negotiated fixed prices, with breaks at 10 and 20 pieces."""
    agreed = [p for p in products if p.sku in {f"{x}-000{n}" for x in ("LT", "DT", "MN") for n in
              range(1, 6)}]  # fmt: skip
    for item in agreed:
        for quantity, share in FIXED_SHARES:
            price = (item.eur * share).quantize(CENT, ROUND_HALF_UP)
            yield ["AG-7", item.sku, "", "EA", quantity, price, "", "", "", ""]
    for item in (p for p in products if re.fullmatch(r"SD-000\d", p.sku)):
        for quantity, share in FIXED_SHARES:
            price = (item.krw * share / WON).quantize(Decimal(1), ROUND_HALF_UP) * WON
            yield ["AG-21", item.sku, "", "EA", quantity, price, "", "", "", ""]


def agreement_rows(products: Sequence[Product]) -> Iterator[list[object]]:
    """Yield what was negotiated: per cent, fixed, amounts, and offers with an end."""
    for code, path, quantity, percent in CATEGORY_TERMS:
        yield [code, "", path, "EA", quantity, "", percent, "", "", ""]
    yield from fixed_rows(products)
    yield ["AG-7", "", "Hardware/Workstations", "EA", 1, "", "", "150.00", "", ""]
    yield ["AG-7", "KB-0001", "", "EA", 1, "", 20, "", "2026-01-01", "2028-12-31"]
    yield ["AG-7", "KB-0002", "", "EA", 1, "", 30, "", "2026-01-01", "2026-03-31"]
    yield ["TIER-GOLD", "HS-0001", "", "EA", 1, "", "", "5.00", "2026-01-01", "2028-12-31"]
    yield ["AG-21", "UP-0001", "", "EA", 5, "", "", "20000", "", ""]


def write_prices(products: Sequence[Product]) -> None:
    """Write price entries and costs; the cost differs a little from product to product."""
    columns = ["list_code", "sku", "category_path", "uom", "min_qty", "price", "percent_off",
               "amount_off", "valid_from", "valid_to"]  # fmt: skip
    write("price-entries", columns, [*standard_rows(products), *agreement_rows(products)])
    costs = []
    for item in products:
        share = Decimal(70 + sum(map(ord, item.sku)) % 9) / 100
        cost = (item.eur * share).quantize(CENT, ROUND_HALF_UP)
        floor = (cost * Decimal("1.05")).quantize(CENT, ROUND_HALF_UP)
        costs.append([item.sku, "EUR", item.uom, cost, floor])
        won = (item.krw * share).quantize(Decimal(1), ROUND_HALF_UP)
        costs.append([item.sku, "KRW", item.uom, won, (won * Decimal("1.05")).quantize(Decimal(1))])
    write("costs", ["sku", "currency", "uom", "cost", "floor_price"], costs)


def write_part_numbers(products: Sequence[Product]) -> None:
    """Write the numbers under which the two customers know some products."""
    rows = []
    for item in products:
        number = int(item.sku[3:])
        if number <= 6:  # noqa: PLR2004 -- a few of each family
            rows.append(["ACME", item.sku, f"10-{sum(map(ord, item.sku[:2]))}{number:03}", ""])
        if number in {2, 5, 8}:
            name = f"{item.words[2]} {item.maker}"
            rows.append(["HANBIT", item.sku, f"HB{item.sku[:2]}{number:04}", name])
    write("part-numbers", ["account_code", "sku", "buyer_sku", "name"], rows)


def derive(folder: Path) -> list[Product]:
    """Make all products in the order of their SKUs."""
    parts, items = folder / "pc-part-dataset", folder / "it-products"
    numbers = {
        " ".join(name.split()[:3]).lower(): mpn
        for stem in ("Webcam", "NetworkCard")
        for _, name, mpn in read_items(items, stem)
    }
    products = derive_computers(items, "Laptop") + derive_computers(items, "PrebuiltDesktop")
    products += derive_accessories(items)
    for family in FAMILIES:
        products += derive_parts(parts, family, numbers)
    return sorted(retire(products), key=lambda product: product.sku)


def main() -> None:
    """Write the derived files."""
    products = derive(Path(sys.argv[1]))
    write_products(products)
    write_prices(products)
    write_part_numbers(products)
    print(f"{len(products)} products")


if __name__ == "__main__":
    main()
