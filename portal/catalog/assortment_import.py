"""Assortments in and out, and which of them an access group shows."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from sqlalchemy import delete, false, or_, select

from portal.accounts.importing import exported_accounts
from portal.accounts.imports import AssortmentsHook
from portal.accounts.models import AccessGroup, Account
from portal.catalog.cells import NotSharedError, OneTargetError, category_path, note_file
from portal.catalog.models import (
    AccessGroupAssortment,
    Assortment,
    AssortmentRule,
    Category,
    Product,
)
from portal.catalog.pricing.lookups import (
    UnknownAccountError,
    UnknownCategoryError,
    UnknownProductError,
    find_accounts,
    find_category_ids,
    find_products,
)
from portal.catalog.queries import find_assortments
from portal.db import db, in_pages
from portal.errors import N_
from portal.files.importing import Batch, Column, EmptyCellError, ImportKind, RepeatedRowError, Row
from portal.files.parsing import choice, code, text
from portal.policy import Actor, Permission

AssortmentKey = tuple[int | None, str]
RuleKey = tuple[str, int | None, int | None]
"""allow or deny, category id, product id."""


def _apply(actor: Actor, batch: Batch) -> None:
    """Replace the rules of the assortments that the file names by its rows."""
    wanted = _wanted(actor, batch)
    if batch.report.refused:
        return
    known = _load({account_id for account_id, _code in wanted})
    stated = _rules_of([item.id for item in known.values()])
    for key, rows in wanted.items():
        item = known.get(key) or _make(batch, key, next(iter(rows.values())))
        if item is not None:
            _replace(batch, item, rows, stated.get(item.id, {}))
    note_file(
        actor,
        batch,
        "assortment.imported",
        [actor.account_id if account_id is None else account_id for account_id, _code in wanted],
    )


def _wanted(actor: Actor, batch: Batch) -> dict[AssortmentKey, dict[RuleKey, Row]]:
    """Return each assortment's rules by the rows that state them; what is unknown is refused."""
    categories = find_category_ids()
    products = {sku: found.id for sku, found in find_products(_skus(batch)).items()}
    named = find_accounts(row["account_code"] for row in batch.rows)
    accounts = {code: account.id for code, account in named.items()}
    wanted: dict[AssortmentKey, dict[RuleKey, Row]] = defaultdict(dict)
    for row in batch.rows:
        account_id = _account_of(actor, batch, row, accounts)
        target = _target(batch, row, categories, products)
        rules = wanted[account_id, row["assortment_code"]]
        key = (row["rule"], *target)
        if key in rules and any(target):
            batch.refuse(row, "rule", RepeatedRowError(other=rules[key].number))
        rules[key] = row
    return wanted


def _skus(batch: Batch) -> Iterable[str | None]:
    return (row["sku"] for row in batch.rows)


def _account_of(actor: Actor, batch: Batch, row: Row, accounts: Mapping[str, int]) -> int | None:
    """Return whose assortment a row means; one of nobody's is shared by all accounts."""
    name = row["account_code"]
    reach = actor.reach(Permission.ASSORTMENT_SAVE)
    if name is None:
        if reach.account_ids is not None:
            batch.refuse(row, "account_code", NotSharedError())
        return None
    account_id = accounts.get(name)
    if account_id is None or not reach.covers(account_id=account_id):
        batch.refuse(row, "account_code", UnknownAccountError(code=name))
    return account_id


def _target(
    batch: Batch, row: Row, categories: Mapping[str, int], products: Mapping[str, int]
) -> tuple[int | None, int | None]:
    path, sku = row["category_path"], row["sku"]
    if (path is None) == (sku is None):
        batch.refuse(row, "category_path", OneTargetError())
    elif path is not None and path not in categories:
        batch.refuse(row, "category_path", UnknownCategoryError(code=path))
    elif sku is not None and sku not in products:
        batch.refuse(row, "sku", UnknownProductError(code=sku))
    return categories.get(path or ""), products.get(sku or "")


def _load(account_ids: Collection[int | None]) -> dict[AssortmentKey, Assortment]:
    found = find_assortments([key for key in account_ids if key is not None])
    return {(item.account_id, item.code): item for item in found}


def _rules_of(assortment_ids: Collection[int]) -> dict[int, dict[RuleKey, AssortmentRule]]:
    stated: dict[int, dict[RuleKey, AssortmentRule]] = defaultdict(dict)
    for page in in_pages(sorted(assortment_ids)):
        statement = select(AssortmentRule).where(AssortmentRule.assortment_id.in_(page))
        for rule in db.session.scalars(statement):
            stated[rule.assortment_id][rule.rule, rule.category_id, rule.product_id] = rule
    return stated


def _make(batch: Batch, key: AssortmentKey, row: Row) -> Assortment | None:
    if row["name"] is None:
        batch.refuse(row, "name", EmptyCellError())
        return None
    item = Assortment(account_id=key[0], code=key[1], name=row["name"])
    db.session.add(item)
    db.session.flush()
    return item


def _replace(
    batch: Batch,
    item: Assortment,
    rows: Mapping[RuleKey, Row],
    stated: Mapping[RuleKey, AssortmentRule],
) -> None:
    """Make an assortment's rules those of the rows; its name is that of the first one."""
    first = next(iter(rows.values()))
    is_renamed = first["name"] is not None and first["name"] != item.name
    item.name = first["name"] or item.name
    for key in rows:
        batch.count(is_new=key not in stated, is_changed=is_renamed)
        if key not in stated:
            rule, category_id, product_id = key
            db.session.add(
                AssortmentRule(
                    assortment_id=item.id,
                    account_id=item.account_id,
                    rule=rule,
                    category_id=category_id,
                    product_id=product_id,
                )
            )
    for key, rule_row in stated.items():
        if key not in rows:
            db.session.delete(rule_row)
            batch.report.removed += 1


def _export(actor: Actor, account_code: str | None) -> list[Mapping[str, Any]]:
    ids = exported_accounts(actor, Permission.ASSORTMENT_SAVE, account_code)
    theirs = or_(
        Assortment.account_id.in_(ids),
        false() if account_code else Assortment.account_id.is_(None),
    )
    columns = ("assortment_code", "account_code", "name", "rule", "category_path", "sku")
    rows = db.session.execute(
        select(
            Assortment.code,
            Account.code,
            Assortment.name,
            AssortmentRule.rule,
            Category.path,
            Product.sku,
        )
        .join(AssortmentRule, AssortmentRule.assortment_id == Assortment.id)
        .outerjoin(Account, Account.id == Assortment.account_id)
        .outerjoin(Category, Category.id == AssortmentRule.category_id)
        .outerjoin(Product, Product.id == AssortmentRule.product_id)
        .where(theirs)
    )
    lines = [dict(zip(columns, row, strict=True)) for row in rows]
    return sorted(lines, key=lambda line: [line[name] or "" for name in columns])


ASSORTMENTS: Final = ImportKind(
    name="assortments",
    label=N_("Assortments"),
    columns=(
        Column("assortment_code", code(), required=True),
        Column("account_code", code()),
        Column("name", text(200)),
        Column("rule", choice(("allow", "deny")), required=True),
        Column("category_path", category_path),
        Column("sku", code()),
    ),
    permission=Permission.ASSORTMENT_SAVE,
    apply=_apply,
    export=_export,
)


# --- what access groups show --------------------------------------------------------------------


def _known(account_ids: Collection[int]) -> dict[int, set[str]]:
    found = find_assortments(account_ids)
    return {
        account_id: {item.code for item in found if item.account_id in {None, account_id}}
        for account_id in account_ids
    }


def _held(group_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    held: dict[int, list[str]] = defaultdict(list)
    for page in in_pages(sorted(group_ids)):
        for group_id, name in db.session.execute(
            select(AccessGroupAssortment.access_group_id, Assortment.code)
            .join(Assortment, Assortment.id == AccessGroupAssortment.assortment_id)
            .where(AccessGroupAssortment.access_group_id.in_(page))
            .order_by(Assortment.code)
        ):
            held[group_id].append(name)
    return {group_id: tuple(names) for group_id, names in held.items()}


def _assign(assigned: Mapping[int, tuple[str, ...]]) -> None:
    """Make the given codes those of each group; an own assortment goes before a shared one."""
    accounts = _accounts_of(assigned)
    found = find_assortments(set(accounts.values()))
    ids = {(item.account_id, item.code): item.id for item in found}
    for page in in_pages(sorted(assigned)):
        db.session.execute(
            delete(AccessGroupAssortment).where(AccessGroupAssortment.access_group_id.in_(page))
        )
    for group_id, codes in assigned.items():
        account_id = accounts[group_id]
        for name in codes:
            own, shared = ids.get((account_id, name)), ids.get((None, name))
            db.session.add(
                AccessGroupAssortment(
                    account_id=account_id,
                    access_group_id=group_id,
                    assortment_id=shared if own is None else own,
                )
            )
    db.session.flush()


def _accounts_of(group_ids: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for page in in_pages(sorted(group_ids)):
        rows = db.session.execute(
            select(AccessGroup.id, AccessGroup.account_id).where(AccessGroup.id.in_(page))
        )
        found.update({group_id: account_id for group_id, account_id in rows})  # noqa: C416
    return found


ASSORTMENTS_OF_GROUPS: Final = AssortmentsHook(known=_known, held=_held, assign=_assign)
"""What the catalogue knows of access groups; the application plugs it into the accounts."""
