"""Reading the chain of lists that reaches a buyer: a few statements for any number of instants."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from portal.accounts.models import Account, Unit
from portal.catalog.pricing.models import (
    AgreementList,
    PriceAssignment,
    PriceList,
    PriceListVersion,
)
from portal.catalog.pricing.rules import (
    ALWAYS,
    Level,
    ListCandidate,
    ListKind,
    Window,
    order_lists,
)
from portal.db import KEPT, UtcDateTime, db

FOREVER = datetime.max.replace(tzinfo=UTC)
_PARENT: Final = aliased(Unit)
_EARLIER: Final = aliased(PriceListVersion)
"""Made once: an alias copies the columns of its table, which costs more than most statements."""

_STANDARD_KIND: Final = literal_column(f"'{ListKind.STANDARD.value}'", String)
"""Said in the statement itself: PostgreSQL would expect a third of all lists of a kind it is told
later, and so plan the statement anew each time instead of keeping a plan."""


@dataclass(frozen=True, slots=True)
class Buyer:
    """For whom a price is asked: the membership's account and unit, and the account's currency."""

    account_id: int
    unit_id: int | None
    currency: str
    unit_path: tuple[int, ...] | None = field(default=None, compare=False)
    """The unit and those above it, nearest first, where whoever asks knows them."""


@dataclass(frozen=True, slots=True)
class Period:
    """The instants from ``first`` to ``last``, both included; one instant is a period too."""

    first: datetime
    last: datetime

    @classmethod
    def of(cls, instants: Iterable[datetime]) -> "Period":
        """Return the period that spans some instants."""
        known = sorted(instants)
        return cls(known[0], known[-1])


@dataclass(frozen=True, slots=True)
class _Asked:
    """The period of a statement that is built once and told its instants when it runs."""

    first: ColumnElement[datetime]
    last: ColumnElement[datetime]


ASKED: Final = _Asked(bindparam("first", type_=UtcDateTime), bindparam("last", type_=UtcDateTime))


@dataclass(frozen=True, slots=True)
class _Assigned:
    """An assignment as the database knows it; both ids are None for the standard list itself."""

    list_id: int
    code: str
    kind: ListKind
    account_id: int | None
    unit_id: int | None
    priority: int | None
    window: Window
    is_assigned: bool


@dataclass(frozen=True, slots=True)
class _Version:
    id: int
    number: int
    in_force_from: datetime
    best_price: bool
    decimals: int


@dataclass(frozen=True, slots=True)
class _Carried:
    """That an agreement carries a list: what was known in ``known``, and the agreement's dates."""

    known: Window
    dates: Window


@dataclass(frozen=True, slots=True)
class Lists:
    """Every list that may reach an account's buyers in a period, with versions and agreements."""

    assigned: Sequence[_Assigned]
    versions: Mapping[int, Sequence[_Version]]
    carried: Mapping[int, Sequence[_Carried]]
    _versions_at: dict[tuple[int, datetime], _Version | None] = field(default_factory=dict)

    def chain(self, unit_path: Sequence[int], at: datetime) -> tuple[ListCandidate, ...]:
        """Return the lists in order for a buyer whose units, nearest first, are ``unit_path``."""
        reached = (self._candidate(row, unit_path, at) for row in self.assigned)
        return order_lists(candidate for candidate in reached if candidate is not None)

    def _candidate(
        self, row: _Assigned, unit_path: Sequence[int], at: datetime
    ) -> ListCandidate | None:
        """Return the list at the place where this row puts it, or None where it does not reach."""
        is_foreign = row.unit_id is not None and row.unit_id not in unit_path
        if is_foreign or not row.window.contains(at):
            return None
        dates = self._agreement_dates(row.list_id, at)
        if dates is not None and not dates.contains(at):
            return None
        version = self.version_at(row.list_id, at)
        ends = [end for end in (row.window.end, dates.end if dates else None) if end is not None]
        return ListCandidate(
            code=row.code,
            kind=row.kind,
            level=_level(row),
            distance=0 if row.unit_id is None else unit_path.index(row.unit_id),
            priority=row.priority,
            ends=min(ends, default=None),
            version=version.number if version else None,
            version_id=version.id if version else None,
            best_price=version.best_price if version else False,
            decimals=version.decimals if version else 0,
        )

    def _agreement_dates(self, list_id: int, at: datetime) -> Window | None:
        """Return the dates that bind a list at ``at``; None where no agreement carries it.

        Where several agreements of the account carry it, one that holds at ``at`` suffices.
        """
        dates = [row.dates for row in self.carried.get(list_id, ()) if row.known.contains(at)]
        if not dates:
            return None
        holding = [each for each in dates if each.contains(at)]
        return max(holding or dates, key=lambda each: each.end or FOREVER)

    def version_at(self, list_id: int, at: datetime) -> _Version | None:
        """Return the latest publication whose instant is not after ``at``."""
        key = (list_id, at)
        if key not in self._versions_at:
            due = [v for v in self.versions.get(list_id, ()) if v.in_force_from <= at]
            self._versions_at[key] = max(
                due, key=lambda v: (v.in_force_from, v.number), default=None
            )
        return self._versions_at[key]


def load_lists(account_id: int, currency: str, unit_ids: Collection[int], period: Period) -> Lists:
    """Read what may reach an account's units in a period, in one statement.

    Lists in another currency never apply and are left out.
    """
    asked = {
        "account": account_id,
        "currency": currency,
        "unit_ids": sorted(unit_ids),
        "first": period.first,
        "last": period.last,
    }
    return make_lists(db.session.execute(select_lists(), asked))


def make_lists(rows: Iterable[Sequence[Any]]) -> Lists:
    """Return the lists that `select_lists` found."""
    assigned: dict[tuple[int, int | None], _Assigned] = {}
    versions: dict[int, dict[int, _Version]] = {}
    carried: dict[int, dict[int, _Carried]] = {}
    # A list stands in one row per assignment, version and agreement of it: few of each.
    for row in rows:
        assignment, version, agreement = row[:9], row[9:14], row[14:19]
        list_id = row[0]
        assigned[list_id, assignment[3]] = _assigned(assignment)
        if version[0] is not None:
            versions.setdefault(list_id, {})[version[0]] = _Version(*version)
        if agreement[0] is not None:
            windows = Window(agreement[1], agreement[2]), Window(agreement[3], agreement[4])
            carried.setdefault(list_id, {})[agreement[0]] = _Carried(*windows)
    return Lists(
        _with_standard_list(list(assigned.values())),
        {list_id: tuple(found.values()) for list_id, found in versions.items()},
        {list_id: tuple(found.values()) for list_id, found in carried.items()},
    )


def unit_path_of(buyer: Buyer) -> tuple[int, ...]:
    """Return the ids of a buyer's unit and of those above it, nearest first."""
    if buyer.unit_path is not None:
        return buyer.unit_path
    account_id, unit_id = buyer.account_id, buyer.unit_id
    if unit_id is None:
        return ()
    start = select(Unit.id, Unit.parent_id, literal(0).label("distance")).where(
        Unit.account_id == account_id, Unit.id == unit_id
    )
    above = start.cte("above", recursive=True)
    parent = _PARENT
    above = above.union_all(
        select(parent.id, parent.parent_id, above.c.distance + 1).where(
            parent.account_id == account_id, parent.id == above.c.parent_id
        )
    )
    return tuple(db.session.scalars(select(above.c.id).order_by(above.c.distance)))


@cache
def select_lists() -> Select[*tuple[Any, ...]]:
    """Select the lists of a currency that reach the account, and its standard list in any case.

    Each comes with its publications in force and with the account's agreements that carry it. The
    statement is built once; `load_lists` names what it asks for.
    """
    account_id = bindparam("account", type_=BigInteger)
    unit_ids = bindparam("unit_ids", type_=BigInteger, expanding=True)
    version, agreement = PriceListVersion, AgreementList
    own = select(Account.tier, Account.segment).where(Account.id == account_id).subquery()
    target, near, standard = PriceAssignment, aliased(PriceAssignment), aliased(PriceList)

    def reaches(target: type[PriceAssignment]) -> ColumnElement[bool]:
        return or_(
            and_(
                target.account_id == account_id,
                or_(target.unit_id.is_(None), target.unit_id.in_(unit_ids)),
            ),
            target.tier == select(own.c.tier).scalar_subquery(),
            target.segment == select(own.c.segment).scalar_subquery(),
        )

    # Their ids first, from the indexes: the joins alone would have every list of the supplier read.
    ids = union_all(
        select(near.list_id).where(reaches(near)),
        select(standard.id).where(
            standard.currency == bindparam("currency"),
            standard.kind == _STANDARD_KIND,
        ),
    )
    return (
        select(
            PriceList.id,
            PriceList.code,
            PriceList.kind,
            target.id,
            target.account_id,
            target.unit_id,
            target.priority,
            target.valid_from,
            target.valid_to,
            version.id,
            version.number,
            version.in_force_from,
            version.best_price,
            version.unit_price_decimals,
            agreement.id,
            agreement.known_from,
            agreement.known_to,
            agreement.valid_from,
            agreement.valid_to,
        )
        .prefix_with(KEPT, dialect="postgresql")
        .select_from(PriceList)
        .outerjoin(
            target,
            and_(
                target.list_id == PriceList.id,
                reaches(target),
                holds_within(target.valid_from, target.valid_to, ASKED),
            ),
        )
        .outerjoin(version, and_(version.list_id == PriceList.id, _is_in_force(ASKED)))
        .outerjoin(
            agreement,
            and_(agreement.list_id == PriceList.id, agreement.account_id == account_id),
        )
        .where(
            PriceList.id.in_(ids),
            PriceList.currency == bindparam("currency"),
            or_(target.id.is_not(None), PriceList.kind == _STANDARD_KIND),
        )
    )


def holds_within(start: Any, end: Any, period: "Period | _Asked") -> ColumnElement[bool]:  # noqa: ANN401 - columns
    """Return the condition that a half-open window holds at some instant of the period."""
    return and_(or_(start.is_(None), start <= period.last), or_(end.is_(None), end > period.first))


def _assigned(row: Any) -> _Assigned:  # noqa: ANN401 - a row of the statement above
    list_id, code, kind, assignment_id, account_id, unit_id, priority, start, end = row
    return _Assigned(
        list_id=list_id,
        code=code,
        kind=ListKind(kind),
        account_id=account_id,
        unit_id=unit_id,
        priority=priority,
        window=Window(start, end),
        is_assigned=assignment_id is not None,
    )


def _with_standard_list(rows: list[_Assigned]) -> list[_Assigned]:
    """Add the place that the standard list has without any assignment."""
    standard = {row.list_id: row for row in rows if row.kind is ListKind.STANDARD}
    unassigned = [
        replace(row, account_id=None, unit_id=None, priority=None, window=ALWAYS, is_assigned=False)
        for row in standard.values()
    ]
    return [row for row in rows if row.is_assigned] + unassigned


def _level(row: _Assigned) -> Level:
    if not row.is_assigned:
        return Level.STANDARD
    is_agreement = row.kind is ListKind.AGREEMENT
    if row.unit_id is not None:
        return Level.AGREEMENT_UNIT if is_agreement else Level.LIST_UNIT
    if row.account_id is not None:
        return Level.AGREEMENT_ACCOUNT if is_agreement else Level.LIST_ACCOUNT
    return Level.LIST_GROUP


def _is_in_force(period: "Period | _Asked") -> ColumnElement[bool]:
    """Return the condition that a publication is in force at some instant of the period."""
    version, earlier = PriceListVersion, _EARLIER
    first = (
        select(func.max(earlier.in_force_from))
        .where(
            earlier.list_id == version.list_id,
            earlier.number.is_not(None),
            earlier.in_force_from <= period.first,
        )
        .correlate(version)
        .scalar_subquery()
    )
    return and_(
        version.number.is_not(None),
        version.in_force_from <= period.last,
        or_(version.in_force_from > period.first, version.in_force_from == first),
    )
