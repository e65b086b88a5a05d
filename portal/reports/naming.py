"""Names of the things that reports put together by: units, accounts, people, categories."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import Account, CostCentre, Person, Unit
from portal.catalog.models import Category
from portal.catalog.rules import local_name
from portal.db import db, in_pages
from portal.reports.results import NO_KEY
from portal.web.locale import DEFAULT, language_of

LAST: Final = "\uffff"
"""Sorts behind every name."""
FEW: Final = 500
"""So many rows are asked for one by one."""


@dataclass(frozen=True, slots=True)
class Name:
    """How a group is called in addresses and on pages."""

    key: str
    label: str


def nothing() -> Name:
    """Return the name of the group of rows that have none."""
    return Name(NO_KEY, _("(none)"))


def name_units(ids: Collection[int]) -> Mapping[int, Name]:
    """Return units as ACCOUNT/UNIT with their names."""
    found: dict[int, Name] = {}
    for page in in_pages(sorted(ids)):
        rows = db.session.execute(
            select(Unit.id, Unit.code, Unit.name, Account.code)
            .join(Account, Account.id == Unit.account_id)
            .where(Unit.id.in_(page))
        )
        for unit_id, code, name, account in rows:
            found[unit_id] = Name(f"{account}/{code}", f"{account} {code} – {name}")
    return found


def name_accounts(ids: Collection[int]) -> Mapping[int, Name]:
    """Return accounts by their code, in one statement: many are picked from all that are seen."""
    wanted = set(ids)
    statement = select(Account.id, Account.code, Account.name)
    if len(wanted) <= FEW:
        statement = statement.where(Account.id.in_(sorted(wanted)))
    return {
        account_id: Name(code, f"{code} – {name}")
        for account_id, code, name in db.session.execute(statement)
        if account_id in wanted
    }


def name_people(ids: Collection[int]) -> Mapping[int, Name]:
    """Return people by their number, so that no address carries a name."""
    found: dict[int, Name] = {}
    for page in in_pages(sorted(ids)):
        rows = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(page)))
        found |= {person_id: Name(str(person_id), name) for person_id, name in rows}
    return found


def name_cost_centres(account_ids: Collection[int]) -> Mapping[tuple[int, str], str]:
    """Return the names of cost centres by account and code."""
    rows = db.session.execute(
        select(CostCentre.account_id, CostCentre.code, CostCentre.name).where(
            CostCentre.account_id.in_(sorted(account_ids))
        )
    )
    return {(account_id, code): name for account_id, code, name in rows}


@dataclass(frozen=True, slots=True)
class Categories:
    """The category tree, with names in the reader's language."""

    paths: Mapping[int, str]
    names: Mapping[str, str]

    def path_of(self, category_id: int | None, *, is_root: bool) -> str:
        """Return the path of a category or of its root; empty without one."""
        path = self.paths.get(category_id or 0, "")
        return path.partition("/")[0] if is_root else path

    def name_of(self, path: str) -> Name:
        """Return how a path is called: the names on the way to it."""
        if not path:
            return Name(NO_KEY, _("(not in the catalogue)"))
        parts = path.split("/")
        ways = ["/".join(parts[: end + 1]) for end in range(len(parts))]
        return Name(path, " / ".join(self.names.get(way, way.rpartition("/")[2]) for way in ways))

    def ids_under(self, path: str) -> list[int]:
        """Return the categories at and below a path."""
        return [key for key, own in self.paths.items() if (own + "/").startswith(path + "/")]


def load_categories() -> Categories:
    """Return all categories, in one statement."""
    rows = db.session.execute(
        select(Category.id, Category.path, Category.name, Category.names)
    ).all()
    tag = _tag()
    names = {path: local_name(name, known, tag) for _id, path, name, known in rows}
    return Categories({key: path for key, path, _name, _names in rows}, names)


def _tag() -> str:
    """Return the language that is spoken; a mail speaks its receiver's."""
    return (language_of(str(get_locale() or "")) or DEFAULT).tag


def named(names: Mapping[Any, Name], key: Any) -> Name:  # noqa: ANN401 - the key of any mapping
    """Return the name of something, or that it has none."""
    return names.get(key) or nothing()
