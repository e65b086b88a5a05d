"""The way of quotes: how many that were begun got to approval, through it, and to an order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum, unique
from typing import Any, Final

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.accounts.models import Account, Membership
from portal.approvals.models import ApprovalRun
from portal.approvals.rules import RunState
from portal.db import db, in_pages
from portal.errors import N_
from portal.orders.models import Order
from portal.orders.rules import UNSENT
from portal.policy import Actor, P
from portal.quotes.models import Quote, QuoteRevision
from portal.quotes.queries import visible_to
from portal.quotes.rules import KIND, QuoteStatus
from portal.reports import figures as f
from portal.reports.asking import Askable, By, Wanted
from portal.reports.converting import Converter
from portal.reports.facts import Fact, passing
from portal.reports.fulfilment import list_facts
from portal.reports.marking import Belongs, Marker
from portal.reports.results import ResultRow
from portal.reports.shapes import Listing, Report, Section, Worked
from portal.web.tables import Column


@unique
class Stage(StrEnum):
    """How far a quote got, in the order of the way."""

    BEGUN = "begun"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    ORDERED = "ordered"

    @property
    def label(self) -> str:
        """The marked word of the page."""
        return {
            Stage.BEGUN: N_("Begun"),
            Stage.SUBMITTED: N_("Submitted"),
            Stage.APPROVED: N_("Approved"),
            Stage.ORDERED: N_("Ordered"),
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A quote and how far it got."""

    number: str
    account: str
    title: str
    status: QuoteStatus
    created_at: datetime
    value: Decimal | None
    converted: Decimal | None
    currency: str
    stages: frozenset[Stage]

    @property
    def furthest(self) -> Stage:
        """The last stage it reached."""
        return max(self.stages, key=list(Stage).index)


def find_ways(actor: Actor, wanted: Wanted, converter: Converter) -> list[Fact[Way]]:
    """Return the quotes begun in the period, discarded drafts left out."""
    statement = (
        visible_to(actor, P.SALES_REPORT_READ)
        .join(Account, Account.id == Quote.account_id)
        .join(Membership, Membership.id == Quote.membership_id)
        .where(
            Quote.created_at >= wanted.window.start_at,
            Quote.created_at < wanted.window.end_at,
            Quote.status != QuoteStatus.DISCARDED,
        )
        .with_only_columns(Quote, Account.code, Membership.person_id)
        .order_by(Quote.id)
    )
    found = db.session.execute(statement).all()
    reached = _stages([quote.id for quote, _code, _person in found])
    belongs = [
        Belongs(account_id=quote.account_id, unit_id=quote.unit_id, person_id=person_id)
        for quote, _code, person_id in found
    ]
    marker = Marker(belongs)
    facts = []
    for (quote, code, _person), own in zip(found, belongs, strict=True):
        value = quote.net_total
        what = Way(
            number=quote.number,
            account=code,
            title=quote.title,
            status=quote.status,
            created_at=quote.created_at,
            value=value,
            converted=None if value is None else converter.convert(value, quote.currency),
            currency=quote.currency,
            stages=frozenset({Stage.BEGUN, *reached.get(quote.id, ())}),
        )
        facts.append(Fact(quote.created_at, marker.marks(own), what))
    return passing(facts, wanted)


def _stages(quote_ids: Sequence[int]) -> dict[int, set[Stage]]:
    """Return which stages quotes ever reached; who is ordered was approved and submitted."""
    reached: dict[int, set[Stage]] = {}
    for page in in_pages(sorted(quote_ids), 5_000):
        submitted = select(QuoteRevision.quote_id).where(
            QuoteRevision.quote_id.in_(page), QuoteRevision.submitted_at.is_not(None)
        )
        approved = (
            select(QuoteRevision.quote_id)
            .join(
                ApprovalRun,
                (ApprovalRun.subject_id == QuoteRevision.id) & (ApprovalRun.kind == KIND),
            )
            .where(QuoteRevision.quote_id.in_(page), ApprovalRun.state == RunState.APPROVED.value)
        )
        ordered = select(Order.quote_id).where(
            Order.quote_id.in_(page), Order.status.not_in(sorted(UNSENT))
        )
        for stage, statement in (
            (Stage.SUBMITTED, submitted),
            (Stage.APPROVED, approved),
            (Stage.ORDERED, ordered),
        ):
            for quote_id in db.session.scalars(statement.distinct()):
                reached.setdefault(quote_id, set()).add(stage)
    return reached


def measure(ways: Sequence[Way], begun: int) -> dict[str, Any]:
    """Return the figures of a stage."""
    return {
        f.QUOTES.key: len(ways),
        f.QUOTE_SHARE.key: f.share(len(ways), begun),
        f.QUOTE_VALUE.key: sum(
            (way.converted for way in ways if way.converted is not None), f.NONE
        ),
    }


def _work(actor: Actor, wanted: Wanted) -> Worked:
    converter = Converter(wanted)
    ways = [fact.what for fact in find_ways(actor, wanted, converter)]
    stages = [
        ResultRow(
            stage.value,
            _(stage.label),
            measure([way for way in ways if stage in way.stages], len(ways)),
        )
        for stage in Stage
    ]
    return Worked(
        figures=(f.QUOTES, f.QUOTE_SHARE, f.QUOTE_VALUE),
        rows=stages if ways else [],
        totals=_head(ways, stages[-1]) if ways else {},
        notes=converter.notes,
        charted=(f.QUOTES,),
        has_totals=False,
        headed=(f.QUOTES, BECAME_ORDERS, f.QUOTE_VALUE),
    )


BECAME_ORDERS: Final = replace(f.QUOTE_SHARE, label=N_("Quotes that became orders"))


def _head(ways: Sequence[Way], last: ResultRow) -> dict[str, Any]:
    """Return what stands above the stages: all quotes, and how many of them got to the end."""
    share = f.QUOTE_SHARE.key
    return measure(ways, len(ways)) | {share: last.values[share]}


def _list(actor: Actor, wanted: Wanted) -> Listing:
    facts = [
        fact
        for fact in find_ways(actor, wanted, Converter(wanted))
        if wanted.key is None or wanted.key in {stage.value for stage in fact.what.stages}
    ]
    can_open = actor.can(P.QUOTE_READ)
    columns: list[Column[Any]] = [
        Column(
            key="quote",
            label=_l("Quote"),
            value=lambda row: row.number,
            url=lambda row: url_for("quotes.detail", number=row.number) if can_open else "",
        ),
        Column(key="account", label=_l("Account"), value=lambda row: row.account),
        Column(key="title", label=_l("Title"), value=lambda row: row.title),
        Column(key="status", label=_l("Status"), value=lambda row: _(row.status.label)),
        Column(key="stage", label=_l("Furthest stage"), value=lambda row: _(row.furthest.label)),
        Column(key="begun_at", label=_l("Begun"), value=lambda row: row.created_at, kind="instant"),
        Column(
            key="value",
            label=_l("Value"),
            value=lambda row: row.value,
            kind="money",
            currency=lambda row: row.currency,
        ),
    ]
    return list_facts(facts, columns)


FUNNEL: Final = Report(
    name="funnel",
    title=_l("Quote funnel"),
    meaning=_l("How far the quotes got that were begun in the period."),
    section=Section.SALES,
    permission=P.SALES_REPORT_READ,
    askable=Askable(groupings=(By.STAGE,), filters=(By.ACCOUNT, By.UNIT, By.PERSON)),
    work=_work,
    listing=_list,
    is_supplier_only=True,
    has_money=True,
)
