"""Messages: to the right people, once, in their language, with a plain part and a link."""

from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from portal.accounts.models import MembershipRole, Person
from portal.accounts.signing_in import request_reset
from portal.config import Settings
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.jobs.actions import run_next
from portal.jobs.models import Job
from portal.mail.sending import send as send_mail
from portal.messages.actions import deliver, tell
from portal.messages.models import Delivery, Message
from portal.policy import Role
from tests.messages.subjects import ORDER


@pytest.fixture
def box(world: Flask) -> Iterator[Path]:
    settings: Settings = world.config["SETTINGS"]
    for old in settings.mail_dir.glob("*"):
        old.unlink()
    yield settings.mail_dir
    for mail in settings.mail_dir.glob("*"):
        mail.unlink()


def mails(box: Path) -> list[EmailMessage]:
    return [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted(box.glob("*.eml"))
    ]


def send(cast: Cast, now: datetime, **receivers: object) -> None:
    with transaction():
        tell(
            "order_confirmed",
            account_id=cast.acme.account_id,
            subject=ORDER,
            path="/orders/O-000009",
            now=now,
            **receivers,  # type: ignore[arg-type]  # receivers in any of the three ways
        )


def work(now: datetime) -> None:
    while run_next(now):
        pass


def test_a_mail_says_what_and_links_to_it(cast: Cast, box: Path, now: datetime) -> None:
    send(cast, now, membership_ids=[cast.acme.buyer.membership_id])
    work(now)

    (mail,) = mails(box)
    text = mail.get_body(("plain",))
    assert text is not None
    assert mail["Subject"] == "Confirmed: O-000009 · ACME"
    assert "buyer@acme.example" in mail["To"]
    assert "1,234.50 EUR" in text.get_content()
    assert "/orders/O-000009" in text.get_content()


def test_the_receiver_reads_it_in_their_own_language(cast: Cast, box: Path, now: datetime) -> None:
    with transaction():
        db.session.execute(
            update(Person).where(Person.email == "buyer@acme.example").values(locale="ko")
        )
    send(cast, now, membership_ids=[cast.acme.buyer.membership_id])
    work(now)

    (mail,) = mails(box)
    assert any("가" <= char <= "힣" for char in mail["Subject"])


def test_a_message_to_the_desk_reaches_everybody_with_that_role_once(
    cast: Cast, box: Path, now: datetime
) -> None:
    send(cast, now, supplier_roles=[Role.ORDER_DESK, Role.ACCOUNT_MANAGER])
    work(now)

    receivers = sorted(mail["To"].addresses[0].addr_spec for mail in mails(box))
    assert receivers == ["desk@northwind.example", "manager@northwind.example"]


def test_delivering_again_after_a_kill_sends_nothing_twice(
    cast: Cast, box: Path, now: datetime
) -> None:
    send(cast, now, membership_ids=[cast.acme.buyer.membership_id])
    work(now)
    message_id = db.session.scalars(select(Message.id)).one()

    deliver({"message_id": message_id}, now)

    assert db.session.scalar(select(func.count(Delivery.id))) == 1
    assert len(mails(box)) == 1


def test_somebody_who_was_suspended_meanwhile_gets_no_mail(
    cast: Cast, box: Path, now: datetime
) -> None:
    send(cast, now, membership_ids=[cast.acme.buyer.membership_id])
    with transaction():
        db.session.execute(
            update(Person).where(Person.email == "buyer@acme.example").values(status="suspended")
        )
    work(now)

    assert mails(box) == []


def test_a_target_that_is_down_keeps_the_message_for_later(
    cast: Cast, box: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(*_args: object, **_options: object) -> None:
        raise ConnectionRefusedError

    send(cast, now, membership_ids=[cast.acme.buyer.membership_id])
    with monkeypatch.context() as patched:
        patched.setattr("portal.messages.actions.send", hang_up)
        work(now)

    assert mails(box) == []
    assert db.session.scalars(select(Job.state)).all() == ["waiting"]
    later = db.session.scalars(select(Job.run_at)).one()
    work(later)
    assert len(mails(box)) == 1


def test_an_address_that_is_refused_keeps_nobody_else_from_their_mail(
    cast: Cast, box: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse_the_first(message: EmailMessage, **how: Any) -> None:  # noqa: ANN401 - handed on
        asked.append(message["To"].addresses[0].addr_spec)
        if asked[-1] == asked[0]:
            raise SMTPRecipientsRefused({asked[0]: (550, b"no such mailbox")})
        send_mail(message, **how)

    agent = cast.supplier.service_agent
    with transaction():
        db.session.add(
            MembershipRole(
                account_id=agent.account_id,
                membership_id=agent.membership_id,
                role=Role.ORDER_DESK.value,
            )
        )
    send(cast, now, supplier_roles=[Role.ORDER_DESK])
    monkeypatch.setattr("portal.messages.actions.send", refuse_the_first)
    work(now)

    assert len(mails(box)) == 1
    assert len(set(asked)) == 2
    job = db.session.scalars(select(Job)).one()
    assert (job.state, "no such mailbox" in (job.error or "")) == ("waiting", True)


def stored_paths() -> list[str]:
    return list(db.session.scalars(select(Message.path)))


def test_a_link_that_opens_something_by_itself_is_forgotten_once_it_is_sent(
    box: Path, now: datetime
) -> None:
    request_reset("buyer@acme.example", address="192.0.2.1", now=now)
    (path,) = stored_paths()
    assert path.startswith("/password/")
    work(now)

    (mail,) = mails(box)
    text = mail.get_body(("plain",))
    assert text is not None
    assert path in text.get_content()
    assert stored_paths() == [""]


def test_a_secret_link_that_could_not_be_sent_is_kept_for_the_next_try(
    box: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang_up(*_args: object, **_options: object) -> None:
        raise ConnectionRefusedError

    request_reset("buyer@acme.example", address="192.0.2.1", now=now)
    before = stored_paths()
    with monkeypatch.context() as patched:
        patched.setattr("portal.messages.actions.send", hang_up)
        work(now)

    assert (stored_paths(), mails(box)) == (before, [])


def test_a_link_to_a_page_behind_the_sign_in_is_kept(cast: Cast, box: Path, now: datetime) -> None:
    send(cast, now, membership_ids=[cast.acme.buyer.membership_id])
    work(now)

    assert len(mails(box)) == 1
    assert stored_paths() == ["/orders/O-000009"]
