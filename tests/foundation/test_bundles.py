"""Several selects in one statement: each gets the rows that it would get alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import (
    BindParameter,
    Integer,
    bindparam,
    cast,
    func,
    literal,
    null,
    select,
    union_all,
)

from portal.accounts.models import Account, Address, Membership, Person
from portal.bundles import Part, bundle
from portal.db import db
from portal.events.models import Event
from tests.stage import Counted

EXPECTED: BindParameter[str] = bindparam("code")
NO_DAY = cast(null(), Event.occurred_at.type)
PARTS: dict[str, Part] = {
    "instants and documents": select(Event.sequence, Event.occurred_at, Event.data),
    "names that two tables share": select(Account.id, Address.id, Account.name, Address.name)
    .join(Address, Address.account_id == Account.id)
    .where(Account.code == EXPECTED),
    "figures": select(Membership.signing_limit, Membership.signs_unlimited),
    "nothing twice": union_all(
        select(literal(1), Account.code, NO_DAY, NO_DAY).where(Account.code == EXPECTED),
        select(literal(2), Account.code, null(), null()).where(Account.code != EXPECTED),
    ),
    "no rows": select(Person.email, func.length(Person.name, type_=Integer)).where(Person.id < 0),
}


@pytest.mark.usefixtures("demo")
def test_each_select_gets_the_rows_that_it_gets_alone(
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    asked = {"code": "ACME"}
    alone = [db.session.execute(part, asked).all() for part in PARTS.values()]

    with count_statements() as counted:
        found = bundle(*PARTS.values()).read(asked)

    assert counted.total == 1
    for name, rows, own in zip(PARTS, found, alone, strict=True):
        assert sorted(map(repr, rows)) == sorted(repr(tuple(row)) for row in own), name
    assert [len(own) > 0 for own in alone] == [True, True, True, True, False]
