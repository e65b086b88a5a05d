"""What of the agreed prices ends soon: for those who have to talk about what comes after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, exists, or_, select

from portal.accounts.models import Account
from portal.catalog.pricing.lookups import supplier_zone
from portal.catalog.pricing.models import Agreement, AgreementList, PriceAssignment, PriceList
from portal.db import db
from portal.policy import Actor, Permission
from portal.scope import within

SOON: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingAgreement:
    """An agreement with its account and the last day on which it holds."""

    number: str
    name: str
    account_code: str
    account_name: str
    last_day: date


def find_ending_agreements(actor: Actor, now: datetime, *, limit: int) -> Sequence[EndingAgreement]:
    """Return the agreements of the accounts within reach that end soon, the soonest first."""
    rows = db.session.execute(
        select(Agreement, Account.code, Account.name)
        .join(Account, Account.id == Agreement.account_id)
        .where(
            within(actor, Permission.ACCOUNT_READ, account=Agreement.account_id),
            Agreement.valid_to > now,
            Agreement.valid_to <= now + SOON,
        )
        .order_by(Agreement.valid_to, Agreement.number)
        .limit(limit)
    )
    return [
        EndingAgreement(
            number=agreement.number,
            name=agreement.name,
            account_code=code,
            account_name=name,
            last_day=_last_day(agreement.valid_to or now),
        )
        for agreement, code, name in rows
    ]


def _last_day(valid_to: datetime) -> date:
    return (valid_to - timedelta(microseconds=1)).astimezone(supplier_zone()).date()


def ends_soon(at: datetime) -> ColumnElement[bool]:
    """Keep the lists that hold for somebody until soon, and for nobody after that."""
    assigned = exists().where(PriceAssignment.list_id == PriceList.id).correlate(PriceList)
    carried = (
        exists()
        .where(AgreementList.list_id == PriceList.id, AgreementList.known_to.is_(None))
        .correlate(PriceList)
    )
    ending = or_(
        assigned.where(PriceAssignment.valid_to > at, PriceAssignment.valid_to <= at + SOON),
        carried.where(AgreementList.valid_to > at, AgreementList.valid_to <= at + SOON),
    )
    goes_on = or_(
        assigned.where(
            or_(PriceAssignment.valid_to.is_(None), PriceAssignment.valid_to > at + SOON)
        ),
        carried.where(or_(AgreementList.valid_to.is_(None), AgreementList.valid_to > at + SOON)),
    )
    return ending & ~goes_on
