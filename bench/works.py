"""The kinds of work that are measured, each with its aim; every one adds lines to the table."""

import io
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import select, text

from bench.databases import Kind, environ_of, folder_of, opened
from bench.measuring import RUNS, Cost, Result, cost_of, cost_of_each, counting, timed
from bench.serving import FLOOR, PORTAL, per_second, serving
from bench.stage import Stage, buyer, floor_path, prepare
from bench.world import LARGE, build
from portal.accounts.queries import load_operator
from portal.app import create_app
from portal.catalog.models import Category, Product
from portal.catalog.pricing.actions import publish_list
from portal.catalog.pricing.models import PriceAssignment, PriceEntry, PriceList
from portal.catalog.search import parse_query, to_fts5, to_tsquery
from portal.db import db, transaction
from portal.demo.cast import Acme, Supplier
from portal.demo.loading import KINDS
from portal.documents.rendering import render_pdf
from portal.files.importing import Mode, run_import
from portal.files.reading import read_table
from portal.orders.models import Order
from portal.policy import Actor
from portal.quotes.documents import quote_html
from portal.quotes.models import Quote
from portal.quotes.places import load_places
from portal.quotes.queries import get_quote, get_revision
from portal.quotes.sheet import sheet_of
from portal.web.identity import SESSION_COOKIE

T = TypeVar("T")

CHAINS: Final = 5
LINES: Final = 50
STEPS: Final = ("submit", "approve", "convert", "place")


def catalogue(stage: Stage) -> None:
    """Measure the first page of the catalogue, by itself and by eight clients at once."""
    versions = stage.versions()
    cost, floor = stage.page(buyer, "/catalog"), stage.floor("catalogue", versions=versions)
    stage.results.append(
        Result(
            work="catalogue page, first of all products",
            aim="at most 8 statements",
            cost=cost,
            floor=floor,
            met=cost.statements <= 8,  # noqa: PLR2004
        )
    )
    cookie = f"{SESSION_COOKIE}={stage.token(buyer)}"
    with serving(stage.database, PORTAL) as (port, _started):
        portal = per_second(port, "/catalog", cookie)
    with serving(stage.database, FLOOR) as (port, _started):
        bare = per_second(port, floor_path("catalogue", {"versions": versions}))
    stage.results.append(
        Result(
            work="the same by 8 clients",
            aim="at least 0.4 of the floor's throughput",
            cost=Cost(1000 / portal, cost.statements),
            floor=Cost(1000 / bare, floor.statements),
            value=f"{portal:.1f} of {bare:.1f} a second: {portal / bare:.2f}",
            met=portal / bare >= 0.4,  # noqa: PLR2004
        )
    )


def growth(stage: Stage) -> None:
    """Measure the same page in a world with a tenth of the products, a hundredth of the prices."""
    large = stage.page(buyer, "/catalog")
    small_size = stage.size.smaller
    with folder_of(None) as folder, opened(stage.database.kind, folder / "small") as database:
        app = create_app(database.settings)
        build(app, database, small_size, None, lambda _text: None)
        prepare(app)
        small = Stage(app, database, small_size).page(buyer, "/catalog")
        with app.app_context():
            db.engine.dispose()
    stage.results.append(
        Result(
            work=f"growth from {small_size.products:,} to {stage.size.products:,} products",
            aim="at most 1.3 times",
            cost=large,
            floor=small,
            value=f"{large.ms / small.ms:.2f} times",
            met=large.ms / small.ms <= 1.3,  # noqa: PLR2004
        )
    )


def by_price(stage: Stage) -> None:
    """Measure a large category by name and by the buyer's own price."""
    with stage.inside():
        category = db.session.scalar(select(Category.id).where(Category.path == LARGE))
    address = f"/catalog?category={LARGE.replace(' ', '+')}"
    floor = stage.floor("catalogue", versions=stage.versions(), category=category)
    name = stage.page(buyer, f"{address}&sort=name")
    price = stage.page(buyer, f"{address}&sort=price")
    stage.results += [
        Result(work="large category by name", aim="", cost=name, floor=floor),
        Result(
            work="large category by my price",
            aim="at most 4 statements more than the page by name, 10 times its time",
            cost=price,
            floor=name,
            met=price.statements <= name.statements + 4 and price.ms <= 10 * name.ms,
        ),
    ]


def quotes(stage: Stage) -> None:
    """Measure the page of a draft: its lines priced now, its route, its checks."""
    versions = stage.versions()
    for lines in (LINES, LINES * 10):
        number = stage.quote_of(lines)
        cost = stage.page(buyer, f"/quotes/{number}")
        floor = stage.floor("quote", number=number, versions=versions)
        stage.results.append(
            Result(
                work=f"price and show a quote of {lines} lines",
                aim="at most 6 statements; at most 2 times the SQL alone",
                cost=cost,
                floor=floor,
                met=cost.statements <= 6 and cost.ms <= 2 * floor.ms,  # noqa: PLR2004
            )
        )


def chain(stage: Stage) -> None:
    """Measure submitting, approving, converting and placing fifty lines, each by its request."""
    numbers = [stage.quote_of(LINES) for _ in range(CHAINS)]
    requester, approver = stage.client(buyer), stage.client(lambda: Acme.approver)
    cfo = stage.client(lambda: Acme.cfo)

    def submit(number: str) -> Callable[[], object]:
        version = _read(stage, lambda: get_quote(buyer(), number).version)
        return lambda: requester.post(f"/quotes/{number}/submit", data={"version": str(version)})

    def approve(number: str) -> Callable[[], object]:
        run, form = _read(stage, lambda: _decision(number))
        return lambda: approver.post(f"/approvals/{run}/approve", data=form)

    def convert(number: str) -> Callable[[], object]:
        if _read(stage, lambda: get_quote(buyer(), number).status.value) == "in approval":
            run, form = _read(stage, lambda: _decision(number))
            cfo.post(f"/approvals/{run}/approve", data=form)
        form = _read(stage, lambda: _everything(number)) | {"then": "draft"}
        return lambda: requester.post(f"/quotes/{number}/convert", data=form)

    def place(number: str) -> Callable[[], object]:
        made = _read(stage, lambda: _order_of(number))
        form = {"key": f"place-{number}", "purchase_order_number": f"PO-{number}"}
        return lambda: requester.post(f"/orders/{made}/place", data=form)

    costs = []
    for name, step in zip(STEPS, (submit, approve, convert, place), strict=True):
        cost = cost_of_each([step(number) for number in numbers])
        costs.append(cost)
        stage.results.append(
            Result(
                work=f"{name} {LINES} lines",
                aim="at most 15 statements",
                cost=cost,
                met=cost.statements <= 15,  # noqa: PLR2004
            )
        )
    total = sum(cost.ms for cost in costs)
    stage.results.append(
        Result(
            work="the whole chain, one after the other",
            aim="at least 25 a second",
            cost=Cost(total, sum(cost.statements for cost in costs)),
            value=f"{1000 / total:.1f} a second",
            met=1000 / total >= 25,  # noqa: PLR2004
        )
    )


def _read(stage: Stage, question: Callable[[], T]) -> T:
    with stage.inside():
        return question()


def _decision(number: str) -> tuple[int, dict[str, str]]:
    """Return the run that a quote waits in and what its form sends."""
    row = db.session.execute(
        text(
            "select r.id, r.content_hash from approval_run r where r.number = :number"
            " and r.state = 'open'"
        ),
        {"number": number},
    ).one()
    return row[0], {"content_hash": row[1], "comment": ""}


def _everything(number: str) -> dict[str, str]:
    """Return the form that orders every line of a quote."""
    lines = get_revision(buyer(), number, None).lines
    return {f"quantity-{line.line_id}": f"{line.quantity:f}" for line in lines} | {
        "key": f"convert-{number}"
    }


def _order_of(number: str) -> str:
    statement = select(Order.number).join(Quote, Quote.id == Order.quote_id)
    return str(db.session.scalar(statement.where(Quote.number == number)))


def orders(stage: Stage) -> None:
    """Measure the order list of an account with many orders: two pages and a search."""
    with stage.inside():
        account = Acme().account_id
        number = db.session.scalar(
            select(Order.purchase_order_number).where(Order.account_id == account).offset(7)
        )
    deep = max(stage.size.of_one_account // 50 - 2, 2)
    for work, path, args in (
        ("order list, first page", "/orders", {}),
        (f"order list, page {deep}", f"/orders?page={deep}", {"offset": (deep - 1) * 50}),
        ("order list by purchase order number", f"/orders?q={number}", {"purchase_order": number}),
    ):
        cost, floor = stage.page(buyer, path), stage.floor("orders", account=account, **args)
        stage.results.append(
            Result(
                work=work,
                aim="at least 0.4 of the floor",
                cost=cost,
                floor=floor,
                value=f"{floor.ms / cost.ms:.2f} of the floor",
                met=floor.ms / cost.ms >= 0.4,  # noqa: PLR2004
            )
        )


def search(stage: Stage) -> None:
    """Measure searches of Latin words and of two Chinese characters."""
    write = to_fts5 if stage.database.kind is Kind.SQLITE else to_tsquery
    for work, query in (("Latin", "laptop"), ("two Chinese characters", "鼠标")):
        cost = stage.page(buyer, f"/catalog?q={query}")
        floor = stage.floor("search", query=write(parse_query(query)))
        stage.results.append(
            Result(
                work=f"product search, {work}",
                aim="at most 3 times the indexed query",
                cost=cost,
                floor=floor,
                met=cost.ms <= 3 * floor.ms,
            )
        )


def reports(stage: Stage) -> None:
    """Measure the order report over every account and over one."""
    with stage.inside():
        account = Acme().account_id
    everything = stage.page(lambda: Supplier.auditor, "/reports/revenue?period=all")
    one = stage.page(lambda: Acme.cfo, "/reports/orders?period=all")
    floor = stage.floor("report", account=account)
    stage.results += [
        Result(
            work=f"order report over {stage.size.orders * 5:,} lines",
            aim="at most 0.5 s",
            cost=everything,
            met=everything.ms <= 500,  # noqa: PLR2004
        ),
        Result(
            work="order report of one account",
            aim="at most 3 times the SQL",
            cost=one,
            floor=floor,
            met=one.ms <= 3 * floor.ms,
        ),
    ]


def imports(stage: Stage) -> None:
    """Measure the import of price entries in a process of its own, beside a bare bulk insert."""
    many = max(stage.size.entries // 20, 200)
    took = {}
    for rows in (many // 4, many):
        took[rows] = _in_a_process(stage, rows)
    (small, _bare), (large, bare) = took[many // 4], took[many]
    grown = large.kib - small.kib
    stage.results.append(
        Result(
            work=f"import {many:,} price entries: check, compare, commit",
            aim="at least 0.3 of a bare bulk insert; memory does not grow with the file",
            cost=large,
            floor=bare,
            value=f"{bare.ms / large.ms:.2f} of the insert; {grown / 1024:+.0f} MiB for 4 times",
            met=bare.ms / large.ms >= 0.3 and grown < small.kib * 0.25,  # noqa: PLR2004
        )
    )


def _in_a_process(stage: Stage, rows: int) -> tuple[Cost, Cost]:
    done = subprocess.run(  # noqa: S603 - this very program
        [sys.executable, "-m", "bench.importing", str(rows)],
        env=environ_of(stage.database) | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        check=True,
        text=True,
    )
    ms, statements, kib, bare = done.stdout.split()[-4:]
    return Cost(float(ms), int(statements), int(kib)), Cost(float(bare), 1)


def import_entries(stage: Stage, rows: int) -> tuple[Cost, Cost]:
    """Import a file of entries into a new list, then insert as many bare rows and take them back.

    Only for a process of its own: its peak of memory is part of the answer.
    """
    with stage.inside():
        code = f"IMP-{rows}-{stage.now.timestamp():.0f}"
        price_list = _new_list(code)
        skus = db.session.scalars(select(Product.sku).order_by(Product.id)).all()
        file = io.StringIO()
        file.write("list_code,sku,category_path,uom,min_qty,price,percent_off,amount_off\n")
        for place in range(rows):
            turn, at = divmod(place, len(skus))
            file.write(f"{code},{skus[at]},,EA,{1 + 10 * turn},{place % 900 + 1}.50,,\n")
        data = file.getvalue().encode()
        actor = load_operator("bench", "UTC")
        with counting() as statements:
            ms = timed(
                lambda: run_import(
                    KINDS["price-entries"],
                    read_table(data, "entries.csv"),
                    actor=actor,
                    mode=Mode.REPLACE,
                    now=stage.now,
                    zone=stage.app.config["SETTINGS"].zone,
                )
            )
        kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return Cost(ms, len(statements), kib), Cost(_bare_insert(price_list, rows), 1)


def _new_list(code: str) -> int:
    with transaction() as session:
        made = PriceList(code=code, name=code, currency="EUR", kind="list")
        session.add(made)
        session.flush()
        return made.id


def _bare_insert(price_list: int, rows: int) -> float:
    """Insert rows like those of the import by Core alone, and roll them back."""
    like = db.session.execute(
        select(PriceEntry.__table__).order_by(PriceEntry.id).limit(1)
    ).mappings().one()  # fmt: skip
    version = db.session.execute(
        text("select id from price_list_version where list_id = :list_id"),
        {"list_id": price_list},
    ).scalar_one()
    values = [
        {key: value for key, value in like.items() if key != "id"}
        | {"version_id": version, "min_quantity": Decimal(place + 1_000_000)}
        for place in range(rows)
    ]
    table = PriceEntry.__table__
    took = timed(lambda: db.session.execute(table.insert(), values))  # type: ignore[attr-defined]
    db.session.rollback()
    return took


def publishing(stage: Stage) -> None:
    """Publish one list to few accounts and to many: the statements must be the same."""
    rows = max(stage.size.entries // 20, 200)
    many = max(stage.size.accounts // 10, 20)
    costs = []
    for accounts in (many // 10, many):
        code = f"PUB-{accounts}-{stage.now.timestamp():.0f}"
        with stage.inside():
            _draft_for(code, rows, accounts)
            actor = load_operator("bench", "UTC")
            with counting() as statements:
                ms = timed(
                    lambda actor=actor, code=code: publish_list(actor, code, now=stage.now)  # type: ignore[misc]
                )
            costs.append(Cost(ms, len(statements)))
    few, all_of_them = costs
    stage.results.append(
        Result(
            work=f"publish {rows:,} entries assigned to {many:,} accounts",
            aim="no work per account",
            cost=all_of_them,
            floor=few,
            value=f"{all_of_them.statements} statements, {few.statements} for a tenth of them",
            met=all_of_them.statements <= few.statements,
        )
    )


def _draft_for(code: str, rows: int, accounts: int) -> None:
    """Make a list with a draft of entries that is assigned to some accounts."""
    list_id = _new_list(code)
    with transaction() as session:
        session.execute(
            text(
                "insert into price_list_version (list_id, best_price, unit_price_decimals)"
                " values (:list_id, false, 2)"
            ),
            {"list_id": list_id},
        )
        session.execute(
            text(
                "insert into price_entry (version_id, product_id, uom, min_quantity, kind, value)"
                " select v.id, p.id, p.uom, 1000, 'price', 9500000 from product p,"
                " price_list_version v where v.list_id = :list_id order by p.id limit :rows"
            ),
            {"list_id": list_id, "rows": rows},
        )
        ids = session.execute(
            text("select id from account where kind = 'customer' order by id desc limit :many"),
            {"many": accounts},
        ).scalars()
        session.execute(
            PriceAssignment.__table__.insert(),  # type: ignore[attr-defined]
            [{"list_id": list_id, "account_id": account} for account in ids],
        )


def documents(stage: Stage) -> None:
    """Measure the PDF of fifty lines as the worker makes it."""
    number = stage.quote_of(LINES)
    with stage.inside(), stage.app.test_request_context():
        actor: Actor = buyer()
        revision = get_revision(actor, number, None)
        places = load_places(revision.account_id)
        html = quote_html(sheet_of(actor, revision, places, stage.now), places, stage.now)
    cost = cost_of(lambda: render_pdf(html))
    stage.results.append(
        Result(
            work=f"PDF of {LINES} lines",
            aim="at most 120 ms",
            cost=cost,
            met=cost.ms <= 120,  # noqa: PLR2004
        )
    )


def starting(stage: Stage) -> None:
    """Measure how long a server takes from its start to its first answer."""
    times = []
    for _ in range(RUNS):
        with serving(stage.database, PORTAL) as (_port, seconds):
            times.append(seconds * 1000)
    middle = sorted(times)[len(times) // 2]
    stage.results.append(
        Result(
            work="start to first answer",
            aim="at most 2 s",
            cost=Cost(middle, 0),
            met=middle <= 2000,  # noqa: PLR2004
        )
    )


WORKS: Final[Mapping[str, Callable[[Stage], None]]] = {
    "catalogue": catalogue,
    "growth": growth,
    "by-price": by_price,
    "quotes": quotes,
    "chain": chain,
    "orders": orders,
    "imports": imports,
    "publishing": publishing,
    "search": search,
    "reports": reports,
    "documents": documents,
    "starting": starting,
}
