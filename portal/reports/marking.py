"""To which groups the rows of orders, cases and assets belong, named for all of them at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from portal.reports.asking import By
from portal.reports.naming import (
    Categories,
    Name,
    load_categories,
    name_accounts,
    name_people,
    name_units,
    named,
    nothing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongs:
    """What of a row decides about its groups, as ids and codes."""

    account_id: int
    unit_id: int | None = None
    person_id: int | None = None
    category_id: int | None = None
    sku: str = ""
    further: Mapping[By, Name] = field(default_factory=dict)


class Marker:
    """Names the groups of many rows with one statement for each kind of group."""

    def __init__(self, rows: Iterable[Belongs]) -> None:
        held = list(rows)
        self._accounts = name_accounts({row.account_id for row in held})
        self._units = name_units({row.unit_id for row in held if row.unit_id is not None})
        self._people = name_people({row.person_id for row in held if row.person_id is not None})
        self._categories: Categories = load_categories()

    def marks(self, row: Belongs) -> dict[By, Name]:
        """Return the groups of a row."""
        paths = self._categories
        root = paths.path_of(row.category_id, is_root=True)
        return {
            By.ACCOUNT: named(self._accounts, row.account_id),
            By.UNIT: named(self._units, row.unit_id),
            By.PERSON: named(self._people, row.person_id),
            By.CATEGORY: paths.name_of(root),
            By.SUBCATEGORY: paths.name_of(paths.path_of(row.category_id, is_root=False)),
            By.PRODUCT: Name(row.sku, row.sku) if row.sku else nothing(),
            **row.further,
        }


OF_ORDERS: Final = (By.ACCOUNT, By.CATEGORY, By.UNIT, By.PERSON)
"""Filters that every report about orders has."""
