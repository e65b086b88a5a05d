"""The menu, and what the frame of a page asks of the packages below."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from flask import Flask, current_app, url_for
from sqlalchemy import Select, literal, select, true

from portal.accounts.models import Membership, MembershipRole, Person
from portal.approvals.queries import waiting_count
from portal.config import Settings
from portal.db import KEPT, db
from portal.errors import N_
from portal.orders.queries import to_confirm_count
from portal.policy import Actor, P, Role
from portal.quotes.queries import opened_draft
from portal.service.cases.queries import waiting_count as waiting_cases_count
from portal.web.shell import Draft, NavItem, Plugs, Waiting, plug

NAVIGATION: Final = (
    NavItem(label=N_("Home"), endpoint="home.index", permission=None, prefix="/"),
    NavItem(
        label=N_("Accounts"),
        endpoint="desk_accounts.index",
        permission=P.ACCOUNT_READ,
        prefix="/desk/accounts",
        side="supplier",
    ),
    NavItem(
        label=N_("Catalogue"),
        endpoint="catalog.index",
        permission=P.CATALOG_READ,
        prefix="/catalog",
    ),
    NavItem(
        label=N_("Quick order"),
        endpoint="quotes.quick",
        permission=P.QUOTE_SAVE,
        prefix="/quotes/quick",
        side="customer",
    ),
    NavItem(label=N_("Quotes"), endpoint="quotes.index", permission=P.QUOTE_READ, prefix="/quotes"),
    NavItem(
        label=N_("Approvals"),
        endpoint="approvals.index",
        permission=P.APPROVAL_READ,
        prefix="/approvals",
        count="approvals",
    ),
    NavItem(
        label=N_("Order desk"),
        endpoint="order_desk.index",
        permission=P.ORDER_CONFIRM,
        prefix="/desk/orders",
        side="supplier",
        count="to_confirm",
    ),
    NavItem(label=N_("Orders"), endpoint="orders.index", permission=P.ORDER_READ, prefix="/orders"),
    NavItem(
        label=N_("Service"),
        endpoint="cases.index",
        permission=P.CASE_READ,
        prefix="/service/cases",
        count="cases",
    ),
    NavItem(
        label=N_("Repairs"),
        endpoint="repairs.index",
        permission=P.REPAIR_WORK,
        prefix="/service/repairs",
        side="supplier",
    ),
    NavItem(
        label=N_("Assets"),
        endpoint="assets.index",
        permission=P.ASSET_READ,
        prefix="/service/assets",
    ),
    NavItem(
        label=N_("Help"),
        endpoint="articles.index",
        permission=P.ARTICLE_READ,
        prefix="/service/articles",
    ),
    NavItem(
        label=N_("Reports"),
        endpoint="reports.index",
        permission=P.ORDER_REPORT_READ,
        prefix="/reports",
        or_with=(P.SERVICE_REPORT_READ, P.SALES_REPORT_READ),
    ),
    NavItem(
        label=N_("Price lists"),
        endpoint="price_lists.index",
        permission=P.PRICE_LIST_READ,
        prefix="/desk/price-lists",
        side="supplier",
    ),
    NavItem(
        label=N_("Products"),
        endpoint="desk_catalog.index",
        permission=P.PRODUCT_SAVE,
        prefix="/desk/catalog",
        side="supplier",
    ),
    NavItem(
        label=N_("Stock"),
        endpoint="stock.index",
        permission=P.STOCK_READ,
        prefix="/desk/stock",
        side="supplier",
    ),
    NavItem(
        label=N_("Imports"),
        endpoint="imports.index",
        permission=P.ACCOUNT_SAVE,
        prefix="/desk/imports",
        side="supplier",
        or_with=(P.PRODUCT_SAVE, P.PRICE_LIST_DRAFT, P.STOCK_SAVE, P.ASSET_SAVE),
    ),
    NavItem(
        label=N_("Jobs"),
        endpoint="jobs.desk",
        permission=P.JOB_READ,
        prefix="/desk/jobs",
        side="supplier",
    ),
    NavItem(
        label=N_("Company"),
        endpoint="people.index",
        permission=P.PERSON_READ,
        prefix="/company/people",
        side="customer",
    ),
    NavItem(
        label=N_("Approval policy"),
        endpoint="policy.index",
        permission=P.POLICY_READ,
        prefix="/company/policy",
        side="customer",
    ),
    NavItem(
        label=N_("Events"),
        endpoint="record.desk",
        permission=P.EVENT_READ,
        prefix="/desk/events",
        side="supplier",
    ),
    NavItem(
        label=N_("Events"),
        endpoint="record.company",
        permission=P.EVENT_READ,
        prefix="/company/events",
        side="customer",
    ),
)
"""Every place of the menu, in the order in which it is drawn."""


def plug_in(app: Flask) -> None:
    """Give the frame its menu, counts and names."""
    plug(
        app,
        Plugs(
            items=NAVIGATION,
            supplier_name=_supplier_name,
            grantors=find_grantors,
            waiting=_waiting,
        ),
    )


def _supplier_name() -> str:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.supplier_name


def _waiting(actor: Actor) -> Waiting:
    """Return what the frame counts, and the current draft, in one statement for every page."""
    names, frame = _frame(actor)
    found = db.session.execute(frame).mappings().one()
    number = found.get("number")
    url = url_for("quotes.detail", number=number) if number else ""
    return Waiting(
        counts={name: found[name] for name in names},
        draft=Draft(number=number, url=url, lines=found["lines"]) if number else None,
    )


@lru_cache(maxsize=512)
def _frame(actor: Actor) -> tuple[tuple[str, ...], Select[Any]]:
    """Return the names of what is counted and the statement; building it costs more than asking."""
    counts = {
        name: count.scalar_subquery().label(name)
        for name, count in (
            ("approvals", waiting_count(actor)),
            ("cases", waiting_cases_count(actor)),
            ("to_confirm", to_confirm_count(actor)),
        )
        if count is not None
    }
    frame: Select[Any] = select(*counts.values())
    if actor.can(P.QUOTE_SAVE):
        draft, always = opened_draft(actor).subquery(), select(literal(1)).subquery()
        frame = (
            select(*counts.values(), draft.c.number, draft.c.lines)
            .select_from(always)
            .outerjoin(draft, true())
        )
    return tuple(counts), frame.prefix_with(KEPT, dialect="postgresql")


def find_grantors(actor: Actor) -> Sequence[str]:
    """Return the names of those who can give rights in the actor's own account, by name."""
    role = Role.SYSTEM_ADMINISTRATOR if actor.is_supplier else Role.SITE_ADMINISTRATOR
    return db.session.scalars(
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(MembershipRole, MembershipRole.membership_id == Membership.id)
        .where(
            Membership.account_id == actor.account_id,
            Membership.status == "active",
            Person.status == "active",
            MembershipRole.role == role.value,
        )
        .distinct()
        .order_by(Person.name)
        .limit(10)
    ).all()
