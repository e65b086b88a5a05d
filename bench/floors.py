"""The floor: a bare Flask app that runs only the necessary SQL and renders the same rows.

No sign-in, no rights, no frame, no languages: what is left is the price of the data itself.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, render_template_string, request
from sqlalchemy import Connection, Engine, bindparam, create_engine, text

from portal.db import engine_options, prepare_engine

Rows = list[tuple[Any, ...]]
Answer = Mapping[str, Rows]

ROWS: Final = 50
_PAGE: Final = """<!doctype html><title>Floor</title>
{% for name, rows in answer.items() %}<table><caption>{{ name }}</caption>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endfor %}"""


def all_rows(connection: Connection, sql: str, **values: object) -> Rows:
    """Run one statement; a name that ends in ``_in`` stands for a list."""
    statement = text(sql)
    lists = [name for name in values if name.endswith("_in")]
    statement = statement.bindparams(*(bindparam(name, expanding=True) for name in lists))
    return [tuple(row) for row in connection.execute(statement, values)]


def catalogue(connection: Connection, args: Mapping[str, str]) -> Answer:
    """Return a page of products by name, their prices in some versions, and how many there are."""
    category = int(args.get("category") or 0)
    narrow = " and category_id = :category" if category else ""
    products = all_rows(
        connection,
        "select id, sku, name, uom, category_id from product where status = 'active'"  # noqa: S608
        f"{narrow} order by name, id limit {ROWS}",
        category=category,
    )
    return {
        "products": products,
        "prices": prices(connection, [row[0] for row in products], args),
        "categories": all_rows(
            connection,
            "select category_id, count(*) from product where status = 'active'"
            " group by category_id",
        ),
        "manufacturers": all_rows(
            connection,
            "select manufacturer, count(*) from product where status = 'active'"  # noqa: S608
            f"{narrow} group by manufacturer",
            category=category,
        ),
    }


def prices(connection: Connection, product_ids: list[int], args: Mapping[str, str]) -> Rows:
    """Return what the versions of the account's lists say of some products."""
    versions = [int(part) for part in args["versions"].split(",")]
    return all_rows(
        connection,
        "select product_id, version_id, min_quantity, value from price_entry"
        " where version_id in :versions_in and product_id in :products_in",
        versions_in=versions,
        products_in=product_ids,
    )


def quote(connection: Connection, args: Mapping[str, str]) -> Answer:
    """Return the lines of a quote with today's prices."""
    lines = all_rows(
        connection,
        "select l.product_id, l.position, l.sku, l.name, l.quantity, l.uom"
        " from quote_line l join quote_revision r on r.id = l.revision_id"
        " join quote q on q.id = r.quote_id and q.revision = r.number"
        " where q.number = :number order by l.position",
        number=args["number"],
    )
    return {"lines": lines, "prices": prices(connection, [row[0] for row in lines], args)}


def orders(connection: Connection, args: Mapping[str, str]) -> Answer:
    """Return a page of an account's orders, newest first, and how many there are by state."""
    account, number = int(args["account"]), args.get("purchase_order", "")
    narrow = " and purchase_order_number = :number" if number else ""
    found = all_rows(
        connection,
        "select id, number, purchase_order_number, status, net_total, placed_at"  # noqa: S608
        f" from purchase_order where account_id = :account{narrow}"
        f" order by id desc limit {ROWS} offset :offset",
        account=account,
        number=number,
        offset=int(args.get("offset") or 0),
    )
    return {
        "orders": found,
        "lines": all_rows(
            connection,
            "select order_id, promised_on, backorder_on, quantity, shipped"
            " from purchase_order_line where order_id in :orders_in",
            orders_in=[row[0] for row in found],
        ),
        "states": all_rows(
            connection,
            "select status, count(*) from purchase_order"  # noqa: S608 - parts of our own
            f" where account_id = :account{narrow} group by status",
            account=account,
            number=number,
        ),
    }


def search(connection: Connection, args: Mapping[str, str]) -> Answer:
    """Return the first products that an index of words finds."""
    indexed = (
        "select rowid from product_search where product_search match :query"
        if connection.dialect.name == "sqlite"
        else "select product_id from product_search where words @@ cast(:query as tsquery)"
    )
    return {
        "products": all_rows(
            connection,
            "select id, sku, name, uom from product where status = 'active'"  # noqa: S608
            f" and id in ({indexed}) order by name limit {ROWS}",
            query=args["query"],
        )
    }


def report(connection: Connection, args: Mapping[str, str]) -> Answer:
    """Return what one account ordered by month, from its lines; of all of them it takes minutes."""
    return {
        "months": all_rows(
            connection,
            "select substr(cast(o.placed_at as text), 1, 7) as month, o.currency,"
            " sum(l.line_total), count(distinct o.id)"
            " from purchase_order o join purchase_order_line l on l.order_id = o.id"
            " where o.status not in ('draft', 'discarded', 'cancelled', 'declined')"
            " and o.account_id = :account group by 1, 2 order by 1",
            account=int(args["account"]),
        )
    }


FLOORS: Final[Mapping[str, Callable[[Connection, Mapping[str, str]], Answer]]] = {
    view.__name__: view for view in (catalogue, quote, orders, search, report)
}


def make_floor(url: str) -> Flask:
    """Return the bare app on a database."""
    app = Flask(__name__)
    engine = create_engine(url, **engine_options(url))
    prepare_engine(engine)
    for name, view in FLOORS.items():
        app.add_url_rule(f"/{name}", endpoint=name, view_func=_route(engine, view))
    return app


def _route(
    engine: Engine, view: Callable[[Connection, Mapping[str, str]], Answer]
) -> Callable[[], str]:
    def answer() -> str:
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("select set_config('app.all', '1', true)"))
            return render_template_string(_PAGE, answer=view(connection, request.args))

    return answer


def application() -> Flask:
    """Return the app for a server's processes; the environment names the database."""
    return make_floor(os.environ["PORTAL_DATABASE_URL"])
