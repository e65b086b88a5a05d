"""Which columns the desk's lists and their exports hold."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts.models import Account
from portal.accounts.rules import STATUS_LABELS as ACCOUNT_STATES
from portal.catalog.models import Category, Product
from portal.catalog.rules import STATUS_LABELS as PRODUCT_STATES
from portal.catalog.rules import local_name
from portal.files.writing import write_csv, write_xlsx
from portal.web.locale import current_language
from portal.web.tables import Column, cells_of, file_response, header_of

Row = TypeVar("Row")

ACCOUNTS: tuple[Column[Account], ...] = (
    Column(key="account_code", label=_l("Account"), value=lambda account: account.code),
    Column(key="name", label=_l("Name"), value=lambda account: account.name),
    Column(key="country", label=_l("Country"), value=lambda account: account.country),
    Column(key="currency", label=_l("Currency"), value=lambda account: account.currency),
    Column(key="tier", label=_l("Tier"), value=lambda account: account.tier),
    Column(key="segment", label=_l("Segment"), value=lambda account: account.segment),
    Column(
        key="credit_limit",
        label=_l("Credit limit"),
        value=lambda account: account.credit_limit,
        kind="money",
        currency=lambda account: account.currency,
    ),
    Column(
        key="status",
        label=_l("Status"),
        value=lambda account: _(ACCOUNT_STATES[account.status]),
    ),
)


def _name(item: Category | Product) -> str:
    return local_name(item.name, item.names, current_language().tag)


PRODUCTS: tuple[Column[Product], ...] = (
    Column(key="sku", label=_l("SKU"), value=lambda product: product.sku),
    Column(key="name", label=_l("Name"), value=_name),
    Column(
        key="category",
        label=_l("Category"),
        value=lambda product: _name(product.category) if product.category else "",
    ),
    Column(key="brand", label=_l("Brand"), value=lambda product: product.manufacturer),
    Column(key="uom", label=_l("Unit of measure"), value=lambda product: product.uom),
    Column(
        key="status",
        label=_l("Status"),
        value=lambda product: _(PRODUCT_STATES[product.status]),
    ),
    Column(key="successor_sku", label=_l("Successor"), value=lambda each: each.successor_sku),
)


def file_of(
    kind: str, name: str, columns: Sequence[Column[Row]], rows: Iterable[Row]
) -> ResponseReturnValue:
    """Answer with a list as a file of ``kind``, csv or xlsx."""
    header, cells = header_of(columns), cells_of(columns, rows)
    if kind == "xlsx":
        return file_response(write_xlsx(header, cells, sheet=name), f"{name}.xlsx")
    return file_response(write_csv(header, cells, for_people=True), f"{name}.csv")
