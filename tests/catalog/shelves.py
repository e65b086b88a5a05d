"""What the tests of the catalogue share: a customer, and files that fill the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from portal.accounts.imports import KINDS as ACCOUNT_KINDS
from portal.accounts.models import AccessGroup, Account
from portal.accounts.queries import load_operator
from portal.catalog.browsing import Listing, ProductSort, search_products
from portal.catalog.imports import KINDS as CATALOGUE_KINDS
from portal.catalog.narrowing import Filters
from portal.catalog.queries import visible_products
from portal.db import db, transaction
from portal.files.importing import ImportReport, Mode, run_import
from portal.files.reading import read_table
from portal.files.writing import write_csv
from portal.policy import Actor, Permission, Scope
from portal.web.tables import Sort

BY_NAME: Final = {kind.name: kind for kind in (*ACCOUNT_KINDS, *CATALOGUE_KINDS)}

CATEGORIES: Final = """category_path,name,name:zh-Hans,name:ko
Hardware,Hardware,硬件,하드웨어
Hardware/Laptops,Laptops,笔记本电脑,노트북
Hardware/Servers,Servers,服务器,서버
Software,Software,软件,소프트웨어
"""
PRODUCTS: Final = """\
sku,name,category_path,manufacturer,mpn,status,name:zh-Hans,attr:Memory,attr:Colour
LT-5440,Atlas 14,Hardware/Laptops,Kestrel,K14-99X,active,阿特拉斯,16 GB,Black
LT-5441,Atlas 15,Hardware/Laptops,Kestrel,K15-99X,active,,32 GB,Silver
LT-9000,Borea 13,Hardware/Laptops,Heron,HB13,active,,16 GB,Silver
SV-0001,Cumulus rack,Hardware/Servers,Heron,HC1,active,,64 GB,
SW-0001,Draft writer,Software,Quill,,active,,,
SW-0000,Old writer,Software,Quill,,eol,,,
"""


@dataclass
class Shelves:
    """The operator of an installation, two customers, and imports by text."""

    operator: Actor
    acme: Actor
    other: Actor
    now: datetime

    def load(self, kind: str, content: str, *, dry_run: bool = False) -> ImportReport:
        """Import CSV text."""
        return run_import(
            BY_NAME[kind],
            read_table(content.encode(), f"{kind}.csv"),
            actor=self.operator,
            mode=Mode.REPLACE,
            now=self.now,
            zone=ZoneInfo("UTC"),
            dry_run=dry_run,
        )

    def fill(self) -> None:
        """Import the small catalogue of this module."""
        for kind, content in (("categories", CATEGORIES), ("products", PRODUCTS)):
            assert self.load(kind, content).refused == []

    def export(self, kind: str, account: str | None = None) -> str:
        """Export as CSV text."""
        rows = list(BY_NAME[kind].export(self.operator, account))
        columns = list(rows[0]) if rows else []
        return write_csv(columns, [[row[name] for name in columns] for row in rows])

    def show(self, *codes: str) -> Actor:
        """Return ACME's actor in an access group with some assortments."""
        content = f"account_code,access_group_code,name,assortments\nACME,G,G,{';'.join(codes)}\n"
        assert self.load("access-groups", content).refused == []
        group = db.session.scalar(select(AccessGroup).where(AccessGroup.code == "G"))
        assert group is not None
        return replace(self.acme, access_group_id=group.id)


def make_shelves(now: datetime) -> Shelves:
    """Make the supplier and two customers."""
    with transaction():
        supplier = Account(code="US", kind="supplier", name="Us", country="DE", currency="EUR")
        acme = Account(code="ACME", name="Acme", country="DE", currency="EUR")
        other = Account(code="OTHER", name="Other", country="KR", currency="KRW")
        db.session.add_all([supplier, acme, other])
        db.session.flush()
        ids = (acme.id, other.id)
    return Shelves(load_operator("test", "UTC"), customer(ids[0]), customer(ids[1]), now)


def customer(account_id: int) -> Actor:
    """Return somebody of an account who may look at the catalogue."""
    reads = dict.fromkeys((Permission.CATALOG_READ, Permission.PRICE_READ), Scope.ACCOUNT)
    return Actor(
        person_id=1,
        membership_id=1,
        account_id=account_id,
        account_code="",
        is_supplier=False,
        currency="EUR",
        locale="en",
        time_zone="UTC",
        grants=MappingProxyType(reads),
    )


def seen(actor: Actor) -> list[str]:
    """Return the SKUs that an actor sees."""
    return sorted(product.sku for product in db.session.scalars(visible_products(actor)))


def listing(
    actor: Actor,
    sort: ProductSort = ProductSort.BEST,
    *,
    locale: str = "en",
    **filters: str | Sequence[str] | dict[str, tuple[str, ...]],
) -> Listing:
    """Return the first page of a search."""
    wanted = Filters(**filters)  # type: ignore[arg-type]  # named as the fields are
    return search_products(actor, wanted, sort=Sort(sort), locale=locale)


def skus(found: Listing) -> list[str]:
    """Return the SKUs of a page in their order."""
    return [item.sku for item in found.page.items]
