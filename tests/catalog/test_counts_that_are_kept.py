"""Counts of the catalogue are kept until it changes, and for those who see the same alone."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, create_engine, delete, inspect, select, text, update

from portal.accounts.models import AccessGroup, Account
from portal.catalog.counting import count_products
from portal.catalog.models import (
    AccessGroupAssortment,
    Assortment,
    AssortmentRule,
    Category,
    Product,
    ProductAttribute,
)
from portal.catalog.narrowing import Filters
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.marks import catalogue_mark
from tests.catalog.shelves import Shelves
from tests.databases import Content, Database, Kind, Shelf
from tests.stage import counting

SignIn = Callable[..., Any]
Count = Callable[[], AbstractContextManager[Any]]

HEADER = "assortment_code,account_code,name,rule,category_path,sku\n"
READ = {
    model.__tablename__
    for model in (Category, Product, ProductAttribute, AssortmentRule, AccessGroupAssortment)
}
"""The tables from which anything is counted."""


def mark() -> str:
    """Return the mark of this moment."""
    found = db.session.scalar(select(catalogue_mark()))
    assert isinstance(found, str)
    return found


def draws_anew(change: Callable[[], object]) -> bool:
    """Whether the mark after a change is another one than before it."""
    before = mark()
    change()
    db.session.flush()
    return mark() != before


def sent(change: Executable) -> bool:
    """Whether a statement draws the mark anew."""
    return draws_anew(lambda: db.session.execute(change))


def made(row: Any) -> bool:  # noqa: ANN401 - of any table
    """Whether a new row draws the mark anew."""
    return draws_anew(lambda: db.session.add(row))


def test_whatever_is_counted_draws_a_new_mark_when_it_changes(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,allow,Hardware,\n")
    shop.show("A")
    rule = db.session.scalars(select(AssortmentRule)).one()
    extra = Category(path="Toys", name="Toys")
    toy = Product(sku="TOY", name="Toy")

    assert made(extra)
    assert made(toy)
    assert made(ProductAttribute(product_id=toy.id, name="Colour", value="Red"))
    assert made(
        AssortmentRule(
            assortment_id=rule.assortment_id,
            account_id=rule.account_id,
            rule="deny",
            product_id=toy.id,
        )
    )
    assert sent(update(Category).where(Category.path == "Toys").values(name="Games"))
    assert sent(update(Product).where(Product.sku == "TOY").values(status="eol"))
    assert sent(update(ProductAttribute).values(value="Blue"))
    assert sent(update(AssortmentRule).where(AssortmentRule.id == rule.id).values(rule="deny"))
    assert sent(delete(AssortmentRule).where(AssortmentRule.product_id == toy.id))
    assert sent(delete(ProductAttribute).where(ProductAttribute.product_id == toy.id))
    assert sent(delete(Product).where(Product.sku == "TOY"))
    assert sent(delete(Category).where(Category.path == "Toys"))


def test_what_a_group_is_shown_draws_a_new_mark_also_where_the_database_removes_it(
    shop: Shelves,
) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,allow,Hardware,\nB,ACME,B,allow,Software,\n")

    assert draws_anew(lambda: shop.show("A"))
    assert draws_anew(lambda: shop.show("A", "B"))
    assert sent(delete(Assortment).where(Assortment.code == "B"))
    assert sent(delete(AccessGroup).where(AccessGroup.code == "G"))


def test_what_counts_nothing_leaves_the_mark(shop: Shelves) -> None:
    shown = mark()
    shop.load("part-numbers", "account_code,sku,buyer_sku,name\nACME,LT-5440,A-77,Desk machine\n")
    db.session.execute(update(Account).values(name="Another name"))

    assert mark() == shown


def test_counts_are_read_from_no_table_that_is_not_watched(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,allow,Hardware,\n")
    everything = Filters(
        category_path="Hardware", manufacturers=("Heron",), attributes={"Memory": ("16 GB",)}
    )
    actor = shop.show("A")

    with counting() as counted:
        count_products(actor, everything, "en", None)
        count_products(actor, Filters(), "en", None)

    words = {word for statement in counted.statements for word in _words(statement)}
    assert words & set(inspect(db.session.connection()).get_table_names()) == READ
    assert _watched() == READ


def _words(statement: str) -> Iterator[str]:
    return (word.strip("(),") for word in statement.replace(".", " ").split())


def _watched() -> set[str]:
    """Return the tables of which every change draws the mark; SQLite has a trigger for each."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    statement = (
        "select tbl_name from sqlite_master where type = 'trigger' and name like '%_draws_mark'"
        " group by tbl_name having count(*) = 3"
        if is_sqlite
        else "select relname from pg_trigger join pg_class on pg_class.oid = tgrelid"
        " where tgname like '%_draws_mark' and tgenabled = 'O'"
    )
    return set(db.session.scalars(text(statement)))


def test_a_page_whose_counts_are_kept_asks_less_and_none_asks_more_than_eight(
    cast: Cast, sign_in: SignIn, count_statements: Count
) -> None:
    client = sign_in(cast.acme.buyer.email)

    def statements() -> int:
        with count_statements() as counted:
            assert client.get("/catalog").status_code == 200
        return int(counted.total)

    client.get("/catalog")  # templates and what else a process reads once
    kept = statements()
    with transaction() as session:
        session.execute(update(Product).where(Product.sku == "LT-0001").values(name="Renamed"))
    anew = statements()

    assert kept < anew <= 8, "who is signed in and the frame included"
    assert statements() == kept


def test_each_change_is_seen_on_the_next_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in(cast.acme.buyer.email)
    laptop = Product.sku == "LT-0001"
    pages = [client.get("/catalog").text]

    def shown_after(change: Executable) -> str:
        with transaction() as session:
            session.execute(change)
        pages.append(client.get("/catalog").text)
        assert _filters(client.get("/catalog").text) == _filters(pages[-1])
        return _filters(pages[-1])

    def changes(change: Executable) -> bool:
        return _filters(pages[-1]) != shown_after(change)

    before = _filters(pages[0])
    assert "Nobody" in shown_after(update(Product).values(manufacturer="Nobody"))
    assert changes(update(Product).where(laptop).values(status="eol"))
    assert not changes(update(Product).where(laptop).values(category_id=None)), "it is not sold"
    assert changes(update(Product).where(laptop).values(status="active"))
    assert "Renamed root" in shown_after(
        update(Category).where(Category.parent_id.is_(None)).values(name="Renamed root", names={})
    )
    assert "Renamed root" not in before


def _filters(page: str) -> str:
    return page.partition('<nav id="filters"')[2].partition("</nav>")[0]


def test_what_was_counted_for_one_audience_is_shown_to_no_other(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,allow,Software,\nB,OTHER,B,allow,Hardware,\n")
    shop.load("access-groups", "account_code,access_group_code,name,assortments\nOTHER,H,H,B\n")
    shown = shop.show("A")
    groups = select(AccessGroup.id).where(AccessGroup.account_id == shop.other.account_id)
    other = replace(shop.other, access_group_id=db.session.scalars(groups).one())
    actors = [shop.operator, shown, other, shop.acme, replace(shop.acme, grants={})]
    at = mark()

    def totals() -> list[int]:
        return [count_products(actor, Filters(), "en", at).total for actor in actors]

    assert totals() == [5, 1, 4, 5, 0]
    with counting() as counted:
        assert totals() == [5, 1, 4, 5, 0]
    assert counted.total == 0
    roots = [count_products(actor, Filters(), "en", at).categories for actor in actors]
    assert [len(nodes) for nodes in roots] == [2, 1, 1, 2, 0]


def test_filters_and_languages_are_counted_apart(shop: Shelves) -> None:
    at = mark()
    every, narrow = Filters(), Filters(attributes={"Memory": ("16 GB",)})

    assert count_products(shop.acme, every, "en", at).total == 5
    assert count_products(shop.acme, narrow, "en", at).total == 2
    assert count_products(shop.acme, Filters(manufacturers=("Heron",)), "en", at).total == 2
    assert count_products(shop.acme, Filters(category_path="Software"), "en", at).total == 1
    names = [node.name for node in count_products(shop.acme, every, "ko", at).categories]
    assert "하드웨어" in names


def test_a_group_that_is_given_another_assortment_sees_it_at_once(shop: Shelves) -> None:
    shop.load("assortments", HEADER + "A,ACME,A,allow,Software,\nB,ACME,B,allow,Hardware,\n")

    def total(*codes: str) -> int:
        actor = shop.show(*codes)
        count_products(actor, Filters(), "en", mark())
        return count_products(actor, Filters(), "en", mark()).total

    assert [total("A"), total("B"), total("A", "B"), total()] == [1, 4, 5, 5]
    shop.load("assortments", HEADER + "A,ACME,A,allow,Hardware/Servers,\n")
    assert total("A") == 1
    (root,) = count_products(shop.show("A"), Filters(), "en", mark()).categories
    assert root.path == "Hardware"


def test_what_is_typed_is_never_kept(shop: Shelves) -> None:
    at = mark()
    with counting() as counted:
        for _ in range(2):
            assert count_products(shop.acme, Filters(text="atlas"), "en", at).total == 2

    assert counted.total > 0
    shop.load(
        "part-numbers", "account_code,sku,buyer_sku,name\nACME,SW-0001,A-1,atlas of our own\n"
    )
    assert count_products(shop.acme, Filters(text="atlas"), "en", at).total == 3
    assert count_products(shop.other, Filters(text="atlas"), "en", at).total == 2


def test_no_more_is_kept_than_its_limit(shop: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[object, Any] = {}
    monkeypatch.setattr("portal.catalog.counting._KEPT", kept)
    monkeypatch.setattr("portal.catalog.counting.MOST_KEPT", 3)

    for brand in "abcdefg":
        count_products(shop.acme, Filters(manufacturers=(brand,)), "en", mark())
        assert len(kept) <= 3


@pytest.fixture
def standing(database_kind: Kind, shelf: Shelf) -> Iterator[Database]:
    """A database of its own, beside which several processes may write."""
    database = shelf.copy(database_kind, Content.SMALL)
    yield database
    shelf.drop(database)


def test_writers_at_once_do_not_wait_and_each_is_seen(standing: Database) -> None:
    engine = create_engine(standing.url)
    try:
        seen = _marks_of_two_writers(engine, standing.kind)
    finally:
        engine.dispose()

    assert len(set(seen)) == len(seen)


def _marks_of_two_writers(engine: Engine, kind: Kind) -> list[str]:
    """Return the mark before, between and after the commits of two writers."""
    change = text("update product set name = name || '!' where id = (select min(id) from product)")
    other = text("update product set name = name || '!' where id = (select max(id) from product)")

    def read() -> str:
        with engine.connect() as connection:
            return str(connection.scalar(select(catalogue_mark())))

    seen = [read()]
    with engine.connect() as first:
        first.execute(change)
        first.execute(change)
        assert read() == seen[0], "what is not committed has not happened"
        if kind is Kind.POSTGRESQL:  # SQLite lets one write at a time
            with engine.connect() as second:
                second.execute(text("set local lock_timeout = '5s'"))
                second.execute(other)
                second.commit()
            seen.append(read())
        first.commit()
    seen.append(read())
    with engine.connect() as undone:
        undone.execute(change)
        undone.rollback()
    assert read() == seen[-1]
    return seen
