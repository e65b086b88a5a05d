"""Loading the demo's files: every kind of import in its order, then publishing and policies."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

from flask import current_app
from sqlalchemy import func, select

from portal.accounts import imports as accounts
from portal.accounts.actions import ensure_supplier
from portal.accounts.models import Membership
from portal.accounts.passwords import hash_password
from portal.accounts.queries import load_operator
from portal.accounts.signing_in import store_password
from portal.approvals.policy_import import import_policy_file
from portal.catalog import imports as catalog
from portal.catalog.pricing import imports as pricing
from portal.catalog.pricing.actions import publish_list
from portal.catalog.stock import imports as stock
from portal.config import Settings
from portal.db import db, transaction
from portal.demo.calendars import set_up_service_hours
from portal.demo.cast import PASSWORD, Acme, Hanbit, Supplier
from portal.events.actions import record
from portal.files.importing import ImportKind, Mode, run_import
from portal.files.reading import Table, read_table
from portal.orders.history import imports as past_orders
from portal.policy import Actor
from portal.reports import rate_import as rates

DATA: Final = files("portal.demo") / "data"
PUBLISHED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The first versions take over from before the demo, so that its prices hold from then on."""

BEFORE_PUBLISHING: Final = (
    "accounts", "units", "addresses", "categories", "products", "uom-conversions",
    "assortments", "access-groups", "people", "cost-centres", "price-lists", "price-entries",
)  # fmt: skip
AFTER_PUBLISHING: Final = (
    "price-assignments", "agreements", "costs", "tax-rates", "freight-rates", "part-numbers",
    "stock", "exchange-rates",
)  # fmt: skip
SERVICES: Final = (
    ("products", "services"), ("price-entries", "service-prices"), ("costs", "service-costs"),
)  # fmt: skip
"""Kind and file of what is not goods: warranty extensions and repair work."""
SMALL_FAMILY: Final = 5
"""How many products of each family the small world keeps."""


KINDS: Final[Mapping[str, ImportKind]] = {
    kind.name: kind
    for kind in (
        *accounts.KINDS,
        *catalog.KINDS,
        *pricing.KINDS,
        *stock.KINDS,
        *past_orders.KINDS,
        *rates.KINDS,
    )
}


def read_data(file: str) -> Table:
    """Read one of the shipped files."""
    name = f"{file}.csv"
    return read_table((DATA / name).read_bytes(), name)


def keep_few(table: Table) -> Table:
    """Keep of a table about products the first few of each family."""
    if "sku" not in table.columns:
        return table
    place = table.columns.index("sku")
    kept = [
        (number, row)
        for number, row in zip(table.row_numbers, table.rows, strict=True)
        if not row[place] or int(row[place].rpartition("-")[2]) <= SMALL_FAMILY
    ]
    return Table(table.columns, tuple(row for _, row in kept), tuple(number for number, _ in kept))


def load_kind(
    name: str,
    operator: Actor,
    now: datetime,
    narrow: Callable[[Table], Table],
    *,
    file: str = "",
) -> None:
    """Import one of the shipped files; a refusal of our own data is a defect.

    Args:
        file: What it is called where it is not the kind's first one; then what is there stays.
    """
    settings: Settings = current_app.config["SETTINGS"]
    report = run_import(
        KINDS[name],
        narrow(_with_supplier(read_data(file or name), operator.account_code)),
        actor=operator,
        mode=Mode.UPDATE if file else Mode.REPLACE,
        now=now,
        zone=settings.zone,
    )
    if report.refused:
        first = report.refused[0]
        message = (
            f"{file or name}.csv, row {first.row}, {first.column} {first.value!r}: {first.reason}"
        )
        raise ValueError(message)


def _with_supplier(table: Table, code: str) -> Table:
    """Put the supplier's real account code where the files say ``SUPPLIER``."""
    rows = tuple(
        tuple(code if cell == Supplier.code else cell for cell in row) for row in table.rows
    )
    return Table(table.columns, rows, table.row_numbers)


def make_operator() -> Actor:
    """Make the supplier's own account and return the operator who sets everything up."""
    settings: Settings = current_app.config["SETTINGS"]
    ensure_supplier(
        settings.supplier_code,
        settings.supplier_name,
        currency="EUR",
        country="DE",
        time_zone=settings.time_zone,
    )
    return load_operator("demo", settings.time_zone)


def give_passwords(operator: Actor, now: datetime) -> None:
    """Give everybody the same password by one hash: one for each of thirty would take seconds."""
    password_hash = hash_password(PASSWORD)
    with transaction():
        for person_id, account_id in db.session.execute(
            select(Membership.person_id, func.min(Membership.account_id)).group_by(
                Membership.person_id
            )
        ):
            store_password(person_id, password_hash, now)
            record(
                operator,
                "person.password-set",
                kind="person",
                object_id=person_id,
                account_id=account_id,
                now=now,
            )


def load_policy(account: str, operator: Actor, now: datetime) -> None:
    """Import the approval policy of one customer; a refusal of our own file is a defect."""
    name = f"policy-{account.lower()}.json"
    report = import_policy_file(operator, (DATA / name).read_bytes(), now)
    if report.refused:
        first = report.refused[0]
        message = f"{name}, {first.path} {first.value!r}: {first.reason}"
        raise ValueError(message)


def publish_lists(operator: Actor, now: datetime) -> None:
    """Publish every draft, in force from before the demo."""
    table = read_data("price-lists")
    for row in table.rows:
        publish_list(operator, row[table.columns.index("list_code")], now=now, at=PUBLISHED_AT)


def load_world(now: datetime, narrow: Callable[[Table], Table]) -> None:
    """Make the supplier, both customers and their people, the catalogue, prices and policies."""
    operator = make_operator()
    for name in BEFORE_PUBLISHING:
        load_kind(name, operator, now, narrow)
    for name, file in SERVICES:
        load_kind(name, operator, now, narrow, file=file)
    give_passwords(operator, now)
    publish_lists(operator, now)
    for name in AFTER_PUBLISHING:
        load_kind(name, operator, now, narrow)
    for account in (Acme.code, Hanbit.code):
        load_policy(account, operator, now)
    set_up_service_hours(operator, now)
