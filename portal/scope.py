"""The one scope resolver in SQL: which rows a membership may reach for a permission."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.policy import Actor, Permission

Column = InstrumentedAttribute[int] | InstrumentedAttribute[int | None] | ColumnElement[Any]


def within(
    actor: Actor,
    permission: Permission,
    *,
    account: Column,
    unit: Column | None = None,
    owner: Column | None = None,
    group: Column | None = None,
) -> ColumnElement[bool]:
    """Return the condition that keeps the rows ``permission`` reaches.

    Args:
        account: The row's account id.
        unit: The row's unit id; without it a permission of scope ``unit`` reaches nothing.
        owner: The row's owner as a membership id; without it scope ``own`` reaches nothing.
        group: The row's access group id; without it scope ``group`` reaches nothing.
    """
    reach = actor.reach(permission)
    if reach.is_empty:
        return false()
    conditions: list[ColumnElement[bool]] = []
    if reach.account_ids is not None:
        conditions.append(account.in_(sorted(reach.account_ids)))
    for wanted, column in (
        (reach.unit_ids, unit),
        (None if reach.owner_id is None else {reach.owner_id}, owner),
        (None if reach.group_id is None else {reach.group_id}, group),
    ):
        if wanted is not None:
            conditions.append(false() if column is None else column.in_(sorted(wanted)))
    return and_(true(), *conditions)
