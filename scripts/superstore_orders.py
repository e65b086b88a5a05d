"""Turn the superstore's order lines into files that the portal imports.

Usage: python scripts/superstore_orders.py SUPERSTORE.csv[.gz] FOLDER

Writes ``accounts.csv``, ``units.csv``, ``categories.csv``, ``products.csv`` and ``orders.csv``: one
account (STORE) whose units are the regions, the customers as people of old (by customer number),
the shop's categories and products, and one line of an order for each line of the source. Figures
stay as they are there: the import rounds each line total to the cent. Nothing is random.
"""

import csv
import gzip
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ACCOUNT = "STORE"
CURRENCY = "USD"
ARGUMENTS = 3

Row = dict[str, str]


def main() -> None:
    """Write every file."""
    if len(sys.argv) != ARGUMENTS:
        sys.exit(__doc__)
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files_of(read(source)).items():
        (folder / f"{name}.csv").write_text(as_csv(rows), encoding="utf-8")


def read(source: Path) -> list[Row]:
    """Read the superstore's lines, packed or not."""
    content = source.read_bytes()
    text = gzip.decompress(content) if source.suffix == ".gz" else content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def files_of(lines: Sequence[Row]) -> dict[str, list[Row]]:
    """Return the rows of each file, in the order in which they are imported."""
    return {
        "accounts": [_account()],
        "units": _units(lines),
        "categories": _categories(lines),
        "products": _products(lines),
        "orders": list(_orders(lines)),
    }


def as_csv(rows: Sequence[Row]) -> str:
    """Return rows as the text of a file."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _account() -> Row:
    return {
        "account_code": ACCOUNT,
        "name": "Superstore",
        "country": "US",
        "currency": CURRENCY,
        "locale": "en",
        "time_zone": "UTC",
        "status": "active",
    }


def _units(lines: Sequence[Row]) -> list[Row]:
    regions = sorted({line["Region"] for line in lines})
    return [
        {"account_code": ACCOUNT, "unit_code": name.upper(), "parent_unit_code": "", "name": name}
        for name in regions
    ]


def _path(line: Row) -> str:
    return f"{line['Category']}/{line['Sub-Category']}"


def _categories(lines: Sequence[Row]) -> list[Row]:
    paths = {line["Category"] for line in lines} | {_path(line) for line in lines}
    return [
        {"category_path": path, "name": path.rpartition("/")[2]}
        for path in sorted(paths, key=lambda path: path.split("/"))
    ]


def _products(lines: Sequence[Row]) -> list[Row]:
    """Return each product once, under the first of the names that it has in the source."""
    first: dict[str, Row] = {}
    for line in lines:
        first.setdefault(line["Product ID"], line)
    return [
        {"sku": sku, "name": line["Product Name"], "category_path": _path(line), "uom": "EA"}
        for sku, line in sorted(first.items())
    ]


def _orders(lines: Sequence[Row]) -> Iterable[Row]:
    """Yield each line of the source; its position counts the lines of its order."""
    positions: dict[str, int] = {}
    for line in lines:
        number = line["Order ID"]
        positions[number] = positions.get(number, 0) + 1
        yield {
            "order_number": number,
            "account_code": ACCOUNT,
            "unit_code": line["Region"].upper(),
            "person_email": f"{line['Customer ID'].lower()}@superstore.example",
            "placed_at": f"{line['Order Date']}T12:00:00Z",
            "purchase_order_number": "",
            "currency": CURRENCY,
            "position": str(positions[number]),
            "sku": line["Product ID"],
            "name": line["Product Name"],
            "quantity": line["Quantity"],
            "uom": "EA",
            "line_total": line["Sales"],
            "status": "delivered",
        }


if __name__ == "__main__":
    main()
