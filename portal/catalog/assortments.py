"""What an access group sees: the one condition below every list, search and lookup."""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    and_,
    exists,
    false,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from portal.catalog.models import AccessGroupAssortment, AssortmentRule, Category, Product
from portal.policy import Actor, Permission

_CHILD: Final = aliased(Category)
_NAMED_PRODUCT: Final = aliased(Product)
"""Made once: an alias copies the columns of its table, which costs more than most statements."""


class Audience(NamedTuple):
    """Whoever sees the same products: one group of one account, everybody else, or nobody."""

    account_id: int | None = None
    group_id: int | None = None
    may_read: bool = True


def audience_of(actor: Actor) -> Audience:
    """Return with whom an actor shares what they see; nothing else decides it."""
    if not actor.can(Permission.CATALOG_READ):
        return Audience(may_read=False)
    if actor.is_supplier or actor.access_group_id is None:
        return Audience()
    return Audience(actor.account_id, actor.access_group_id)


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `Product` that keeps what an actor sees.

    An assortment is a set: what its rules allow, without what they deny; a category covers its
    descendants. A group sees the products of all its sets, or every product where it has none, as
    supplier staff do.
    """
    account_id, group_id, may_read = audience_of(actor)
    if not may_read:
        return false()
    if account_id is None or group_id is None:
        return Product.id.is_not(None)
    return _seen_by_group(account_id, group_id)


@lru_cache(maxsize=4096)
def _seen_by_group(account_id: int, group_id: int) -> ColumnElement[bool]:
    """Return the condition for one group; building it takes longer than sending it."""
    held = _held(account_id, group_id)
    rules = _rules(held)
    covered = _covered(rules)
    named = select(rules.c.product_id).where(rules.c.product_id.is_not(None))
    by_category = and_(
        Product.category_id.is_not(None),
        Product.category_id.in_(_shown_categories(covered)),
        Product.id.not_in(named),
    )
    # Few products are named by a rule of their own; only for them is each set looked at by itself.
    return or_(~exists(held), by_category, Product.id.in_(_shown_by_name(rules, covered)))


def _held(account_id: int, group_id: int) -> Select[int]:
    return select(AccessGroupAssortment.assortment_id).where(
        AccessGroupAssortment.account_id == account_id,
        AccessGroupAssortment.access_group_id == group_id,
    )


def _rules(held: Select[int]) -> CTE:
    return (
        select(
            AssortmentRule.assortment_id,
            AssortmentRule.rule,
            AssortmentRule.category_id,
            AssortmentRule.product_id,
        )
        .where(AssortmentRule.assortment_id.in_(held))
        .cte("held_rule")
    )


def _covered(rules: CTE) -> CTE:
    """Return (assortment, rule, category) for each category that a rule names and all below it."""
    covered = (
        select(rules.c.assortment_id, rules.c.rule, rules.c.category_id)
        .where(rules.c.category_id.is_not(None))
        .cte("covered_category", recursive=True)
    )
    child = _CHILD
    return covered.union(
        select(covered.c.assortment_id, covered.c.rule, child.id).join(
            covered, child.parent_id == covered.c.category_id
        )
    )


def _shown_categories(covered: CTE) -> Select[Any]:
    """Return the categories that some set allows and does not deny."""
    denied = covered.alias("denied_category")
    return select(covered.c.category_id).where(
        covered.c.rule == "allow",
        ~exists().where(
            denied.c.assortment_id == covered.c.assortment_id,
            denied.c.category_id == covered.c.category_id,
            denied.c.rule == "deny",
        ),
    )


def _shown_by_name(rules: CTE, covered: CTE) -> Select[Any]:
    """Return those products named by a rule that at least one set holds."""
    product = _NAMED_PRODUCT
    which = select(rules.c.assortment_id).distinct().subquery("held_set")
    named = select(rules.c.product_id).where(rules.c.product_id.is_not(None))

    def says(rule: str) -> ColumnElement[bool]:
        one, many = rules.alias(), covered.alias()
        return or_(
            exists().where(
                one.c.assortment_id == which.c.assortment_id,
                one.c.rule == rule,
                one.c.product_id == product.id,
            ),
            exists().where(
                many.c.assortment_id == which.c.assortment_id,
                many.c.rule == rule,
                many.c.category_id == product.category_id,
            ),
        )

    return (
        select(product.id)
        .join_from(product, which, product.id.is_not(None))
        .where(product.id.in_(named), says("allow"), not_(says("deny")))
    )
