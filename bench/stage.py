"""Where the work is done: the portal on a world, its people signed in, and the floor beside it."""

import contextvars
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from itertools import count
from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from bench.databases import Database
from bench.floors import make_floor
from bench.measuring import Cost, Result, cost_of
from bench.sizes import Size
from portal.accounts.sessions import open_session
from portal.catalog.models import Category, Product
from portal.catalog.pricing.models import PriceEntry, PriceList, PriceListVersion
from portal.catalog.pricing.queries import buyer_of, open_book
from portal.db import EVERY_ROW, NO_ROWS, db, set_row_scope
from portal.demo.cast import Acme
from portal.policy import Actor
from portal.quotes.actions import add_lines, create_quote
from portal.web.identity import SESSION_COOKIE

GOOD: Final = frozenset({HTTPStatus.OK, HTTPStatus.SEE_OTHER})
LEAST, MOST = Decimal(20), Decimal(90)
"""Prices of what fifty-line quotes hold: in sum above the first approval, below the second."""

_keys = count(1)


class Client(FlaskClient):
    """A browser whose requests share nothing with the measuring process but the database."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 - as Flask's own
        """Ask, and refuse to measure an answer that is an error."""
        answer = contextvars.Context().run(super().open, *args, **kwargs)
        if answer.status_code not in GOOD:
            message = f"{answer.request.path} answered {answer.status}"
            raise RuntimeError(message)
        return answer


@dataclass
class Stage:
    """Everything that a piece of work needs."""

    app: Flask
    database: Database
    size: Size
    results: list[Result] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        """The instant of what is done outside requests."""
        return datetime.now(UTC)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Read and act as the program itself."""
        with self.app.app_context():
            set_row_scope(EVERY_ROW)
            try:
                yield
            finally:
                db.session.remove()
                set_row_scope(NO_ROWS)

    def client(self, who: Callable[[], Actor]) -> Client:
        """Return a browser in which somebody is signed in."""
        client = self.app.test_client()
        client.set_cookie(SESSION_COOKIE, self.token(who))
        return client  # type: ignore[return-value]  # the app's `test_client_class`

    def token(self, who: Callable[[], Actor]) -> str:
        """Return a session's token for somebody."""
        with self.inside():
            actor = who()
            key = f"{actor.membership_id}"
            if key not in self.tokens:
                self.tokens[key] = open_session(
                    actor.person_id or 0, actor.membership_id, datetime.now(UTC)
                )
            return self.tokens[key]

    def floor(self, name: str, **args: object) -> Cost:
        """Measure the bare route."""
        client = make_floor(self.database.url).test_client()
        path = floor_path(name, args)
        return cost_of(lambda: _must_be_good(client.get(path)))

    def page(self, who: Callable[[], Actor], path: str) -> Cost:
        """Measure a page of the portal."""
        client = self.client(who)
        return cost_of(lambda: client.get(path))

    def versions(self) -> str:
        """Return the ids of the versions that price for the measured buyer, joined by commas."""
        with self.inside():
            found = open_book(buyer_of(buyer()), [], self.now).chain
            return ",".join(str(item.version_id) for item in found if item.version_id)

    def quote_of(self, lines: int) -> str:
        """Save a draft of so many lines and return its number."""
        with self.inside():
            actor = buyer()
            statement = (
                select(Product.sku)
                .join(PriceEntry, PriceEntry.product_id == Product.id)
                .join(PriceListVersion, PriceListVersion.id == PriceEntry.version_id)
                .join(PriceList, PriceList.id == PriceListVersion.list_id)
                .join(Category, Category.id == Product.category_id)
                .where(
                    PriceList.kind == "standard",
                    PriceList.currency == actor.currency,
                    Product.status == "active",
                    Product.min_quantity.is_(None) | (Product.min_quantity <= 1),
                    Product.quantity_multiple.is_(None) | (Product.quantity_multiple == 1),
                    Category.path.not_like("%Workstations%"),
                )
                .order_by(PriceEntry.value.between(LEAST, MOST).desc(), Product.id)
                .limit(lines)
            )
            skus = db.session.scalars(statement).all()
            if len(skus) < lines:
                message = f"the world has only {len(skus)} products for a quote of {lines} lines"
                raise RuntimeError(message)
            at = self.now
            number = create_quote(actor, at, title=f"Measured {next(_keys)}").number
            add_lines(actor, number, [(sku, Decimal(1), None) for sku in skus], at)
            return number


def buyer() -> Actor:
    """Return the measured buyer."""
    return Acme.buyer


def floor_path(name: str, args: Mapping[str, object]) -> str:
    """Return the address of a bare route."""
    return f"/{name}?{urlencode({key: str(value) for key, value in args.items()})}"


def prepare(app: Flask) -> None:
    """Let forms be sent without their token, as the tests do; all else is as in production."""
    app.config.update(WTF_CSRF_ENABLED=False)
    app.test_client_class = Client


def _must_be_good(answer: TestResponse) -> None:
    if answer.status_code not in GOOD:
        message = f"the floor answered {answer.status}: {answer.text[:300]}"
        raise RuntimeError(message)
