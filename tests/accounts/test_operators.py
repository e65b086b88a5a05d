"""`portal people`: what operators type."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, update

from portal.accounts.cli import accounts_cli
from portal.accounts.models import Person
from portal.accounts.rules import AlreadyActiveError, UnknownPersonError, WeakPasswordError
from portal.accounts.signing_in import accept_invitation, sign_in
from portal.db import db, transaction
from portal.events.models import Event
from portal.web import clock

Rows = Callable[[], object]
PASSWORD = "four horses on a hill"


@pytest.mark.usefixtures("world")
def test_a_password_is_set_from_standard_input() -> None:
    done = CliRunner().invoke(
        accounts_cli, ["password", "Buyer@acme.example", "--stdin"], input=PASSWORD + "\n"
    )

    assert (done.exit_code, done.output) == (0, "The password of buyer@acme.example is set.\n")
    assert sign_in("buyer@acme.example", PASSWORD, address="", now=clock.now()).token
    operator = db.session.scalar(
        select(Event.operator).where(Event.verb == "person.password-set").order_by(Event.id.desc())
    )
    assert operator


@pytest.mark.usefixtures("world")
def test_a_password_is_asked_for_twice() -> None:
    done = CliRunner().invoke(
        accounts_cli, ["password", "buyer@acme.example"], input=f"{PASSWORD}\n{PASSWORD}\n"
    )

    assert done.exit_code == 0
    assert PASSWORD not in done.output


def test_an_invitation_is_printed(world: Flask) -> None:
    with transaction():
        db.session.execute(
            update(Person)
            .where(Person.email == "buyer@acme.example")
            .values(status="invited", password_hash=None)
        )

    done = CliRunner().invoke(accounts_cli, ["invite", "buyer@acme.example"])

    base, _slash, token = done.output.strip().rpartition("/")
    assert base == f"{world.config['SETTINGS'].base_url}/invitation"
    assert accept_invitation(token, PASSWORD, now=clock.now()) == "buyer@acme.example"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("arguments", "typed", "error"),
    [
        (["invite", "nobody@acme.example"], "", UnknownPersonError),
        (["invite", "buyer@acme.example"], "", AlreadyActiveError),
        (["password", "nobody@acme.example", "--stdin"], PASSWORD, UnknownPersonError),
        (["password", "buyer@acme.example", "--stdin"], "short", WeakPasswordError),
        (["password", "buyer@acme.example", "--stdin"], "", WeakPasswordError),
    ],
)
def test_what_can_not_be_done_is_refused(
    business_rows: Rows,
    arguments: list[str],
    typed: str,
    error: type[Exception],
) -> None:
    before = business_rows()

    done = CliRunner().invoke(accounts_cli, arguments, input=typed)

    assert isinstance(done.exception, error)
    assert business_rows() == before
