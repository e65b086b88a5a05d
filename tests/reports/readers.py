"""Who reads the reports in the tests that count them once more."""

from collections.abc import Callable

import pytest

from portal.demo.cast import Cast
from portal.policy import Actor
from portal.reports.results import ReportResult

Who = Callable[[Cast], Actor]
READERS: dict[str, Who] = {
    "acme buyer": lambda cast: cast.acme.buyer,
    "acme viewer": lambda cast: cast.acme.viewer,
    "acme site buyer": lambda cast: cast.acme.site_buyer,
    "acme head of research": lambda cast: cast.acme.research_head,
    "acme chief": lambda cast: cast.acme.cfo,
    "acme administrator": lambda cast: cast.acme.admin,
    "acme auditor": lambda cast: cast.acme.auditor,
    "hanbit buyer": lambda cast: cast.hanbit.buyer,
    "hanbit administrator": lambda cast: cast.hanbit.admin,
    "account manager": lambda cast: cast.supplier.account_manager,
    "account manager asia": lambda cast: cast.supplier.account_manager_asia,
    "order desk": lambda cast: cast.supplier.order_desk,
    "auditor": lambda cast: cast.supplier.auditor,
}
FEW = {"acme buyer", "hanbit administrator", "auditor"}
"""Who reads in every run; the others read in the long proofs."""
MANY = [who if who in FEW else pytest.param(who, marks=pytest.mark.proof) for who in READERS]
readers = pytest.mark.parametrize("who", MANY)


def by_key(result: ReportResult, *figures: str) -> dict[str, tuple[object, ...]]:
    """Return the rows of a report as their figures by their key."""
    return {row.key: tuple(row.values[name] for name in figures) for row in result.rows}


def money_of(actor: Actor, account: str) -> dict[str, str]:
    """Ask supplier staff about one account, in that account's own currency."""
    if not actor.is_supplier:
        return {}
    return {"account": account, "currency": {"ACME": "EUR", "HANBIT": "KRW"}[account]}


def accounts_of(actor: Actor) -> list[str]:
    """Return the accounts that somebody is asked about."""
    return ["ACME", "HANBIT"] if actor.is_supplier else [actor.account_code]
