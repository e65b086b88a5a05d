"""The folder of mails: what becomes a case, what a reply, what is put aside, and nothing twice."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from portal.accounts.models import Membership, Person
from portal.config import Settings
from portal.db import db, transaction
from portal.demo.cast import Cast
from portal.messages.actions import deliver
from portal.messages.models import Message
from portal.service import mailbox
from portal.service.cases.actions import Then, reply
from portal.service.cases.ending import close_case
from portal.service.cases.models import Case, CaseMessage
from portal.service.cases.queries import get_case
from portal.service.cases.rules import CaseKind, CaseStatus, Channel
from portal.service.letters import MOST_BYTES, Letter
from portal.service.mailbox import fetch_mail
from tests.service.desk import BusinessRows, OpenCase

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8000


LAMP = "The lamp blinks."


class Folder:
    """The mailbox of a test: drops mails, looks at what became of them."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def drop(
        self, text: str = "The lamp blinks.", *, name: str = "", **headers: str
    ) -> EmailMessage:
        self.count += 1
        made = EmailMessage()
        for key, value in {
            "From": "Bo <buyer@acme.example>",
            "Subject": "A lamp",
            "Message_ID": f"<{self.count}@acme.example>",
            **headers,
        }.items():
            made[key.replace("_", "-")] = value
        made.set_content(text)
        self.put(bytes(made), name or f"{self.count}.eml")
        return made

    def put(self, raw: bytes, name: str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(raw)

    def names(self, where: str = "") -> list[str]:
        return sorted(path.name for path in (self.path / where).iterdir() if path.is_file())

    def reason(self, name: str = "1.eml") -> str:
        return (self.path / "rejected" / f"{name}.reason.txt").read_text().strip()


@pytest.fixture
def folder(world: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    settings: Settings = replace(world.config["SETTINGS"], data_dir=tmp_path)
    monkeypatch.setitem(world.config, "SETTINGS", settings)
    return Folder(settings.mailbox_dir)


def the_case() -> Case:
    return db.session.scalars(select(Case).execution_options(populate_existing=True)).one()


def said(case: Case) -> list[CaseMessage]:
    statement = (
        select(CaseMessage)
        .where(CaseMessage.case_id == case.id)
        .options(selectinload(CaseMessage.attachments))
        .order_by(CaseMessage.id)
    )
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def count_cases() -> int:
    return db.session.scalar(select(func.count()).select_from(Case)) or 0


def test_a_mail_of_somebody_known_opens_a_case(cast: Cast, folder: Folder, now: datetime) -> None:
    folder.drop(Subject="AW: A lamp")

    assert fetch_mail(now) == 1

    case = the_case()
    assert (case.subject, case.kind, case.channel) == ("A lamp", CaseKind.QUESTION, Channel.EMAIL)
    assert case.membership_id == cast.acme.buyer.membership_id
    (message,) = said(case)
    assert (message.body, message.channel) == ("The lamp blinks.", Channel.EMAIL)
    assert (folder.names(), folder.names("done")) == ([], ["1.eml"])


def test_its_photo_comes_along_and_what_is_unsafe_is_named(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    mail = folder.drop()
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="lamp.png")
    mail.add_attachment(
        b"MZ\0\0", maintype="application", subtype="octet-stream", filename="run.exe"
    )
    folder.put(bytes(mail), "1.eml")

    fetch_mail(now)

    (message,) = said(the_case())
    assert [file.name for file in message.attachments] == ["lamp.png"]
    assert "Not taken over from the mail:" in message.body
    assert "“run.exe” is not a photo" in message.body
    assert cast.acme.buyer.person_id == message.person_id


def test_a_mail_too_long_for_a_page_keeps_its_whole_text_as_a_file(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    folder.drop("It blinks. " * 4_000)

    fetch_mail(now)

    (message,) = said(the_case())
    assert len(message.body) <= mailbox.LONGEST_TEXT + 2
    assert [(file.name, file.size) for file in message.attachments] == [("mail.txt", 43_999)]
    assert cast.acme.account_id == message.account_id


@pytest.mark.parametrize("names", ["In_Reply_To", "References", "Subject"])
def test_an_answer_goes_into_its_thread(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime, names: str
) -> None:
    case = opened()
    thread = f"<{case.number}@localhost>"
    folder.drop(
        "It is red.", **{names: f"Re: A lamp [{case.number}]" if names == "Subject" else thread}
    )

    fetch_mail(now)

    assert [message.body for message in said(the_case())] == ["The lamp blinks.", "It is red."]
    assert cast.acme.account_id == case.account_id


def test_an_answer_lets_the_clock_run_again(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime
) -> None:
    case = opened()
    reply(cast.supplier.service_agent, case.number, "Which?", now=now, then=Then.ASK)
    folder.drop("The red one.\n\nOn Monday, Northwind wrote:\n> Which?", Subject=f"[{case.number}]")

    fetch_mail(now)

    assert the_case().status is CaseStatus.OPEN
    assert said(case)[-1].body == "The red one."


def test_an_answer_to_one_s_own_mail_goes_into_its_thread(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    folder.drop()
    fetch_mail(now)
    folder.drop("I forgot: it is red.", Subject="A lamp, too", References="<1@acme.example>")

    fetch_mail(now)

    assert len(said(the_case())) == 2
    assert cast.acme.account_id == the_case().account_id


def test_an_agent_answers_by_mail(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime
) -> None:
    case = opened()
    folder.drop("Turn it off.", From="service@northwind.example", Subject=f"Re: [{case.number}]")

    fetch_mail(now)

    message = said(the_case())[-1]
    assert (message.side, message.person_id) == ("service", cast.supplier.service_agent.person_id)


def test_an_agent_s_mail_that_answers_nothing_is_put_aside(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    assert cast.acme.account_id
    folder.drop(From="service@northwind.example")

    fetch_mail(now)

    assert (count_cases(), folder.names("rejected")) == (0, ["1.eml", "1.eml.reason.txt"])
    assert "answers no case" in folder.reason()


def test_nobody_writes_into_another_account_s_case_by_naming_it(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime
) -> None:
    """What they say begins a case of their own, and looks the same as for a number that is none."""
    case = opened()
    folder.drop(
        "Let me in.",
        From="buyer@hanbit.example",
        Subject=f"Re: A lamp [{case.number}]",
        References=f"<{case.number}@localhost>",
    )
    folder.drop("And here.", From="buyer@hanbit.example", Subject="A lamp [C-999999]")

    fetch_mail(now)

    assert [message.body for message in said(case)] == ["The lamp blinks."]
    own = db.session.scalars(
        select(Case).where(Case.membership_id == cast.hanbit.buyer.membership_id).order_by(Case.id)
    ).all()
    assert [item.subject for item in own] == ["A lamp", "A lamp"]


def test_a_colleague_who_may_not_act_on_a_case_does_not_write_into_it(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime
) -> None:
    case = opened()
    folder.drop("Me, too.", From="shopper@acme.example", Subject=f"[{case.number}] A lamp")

    fetch_mail(now)

    assert len(said(case)) == 1
    other = get_case(cast.acme.shopper, "C-000002")
    assert other.subject == "A lamp"


def test_a_merged_case_is_answered_where_it_went(
    folder: Folder, merged: tuple[Case, Case], now: datetime
) -> None:
    gone, target = merged
    folder.drop("Still blinking.", Subject=f"[{gone.number}]")

    fetch_mail(now)

    assert said(target)[-1].body == "Still blinking."


def test_a_closed_case_is_opened_again(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime
) -> None:
    case = opened()
    close_case(cast.acme.buyer, case.number, now=now)
    folder.drop("It blinks again.", Subject=f"[{case.number}]")

    fetch_mail(now)

    assert the_case().status is CaseStatus.OPEN


def test_the_same_mail_comes_in_once(
    cast: Cast, folder: Folder, now: datetime, business_rows: BusinessRows
) -> None:
    assert cast.acme.account_id
    folder.drop()
    fetch_mail(now)
    before = business_rows()
    folder.drop(Message_ID="<1@acme.example>", name="again.eml")
    folder.drop(
        "A lamp.", Message_ID="<1@acme.example>", References="<1@acme.example>", name="1.eml"
    )

    assert fetch_mail(now) == 2

    assert business_rows() == before
    assert len(folder.names("done")) == 3


def test_a_kill_between_the_case_and_the_move_doubles_nothing(
    cast: Cast, folder: Folder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cast.acme.account_id
    folder.drop()

    def killed(*_facts: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(mailbox, "_put_away", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch_mail(now)
    assert (count_cases(), folder.names()) == (1, ["1.eml"])

    fetch_mail(now)

    assert (count_cases(), folder.names(), folder.names("done")) == (1, [], ["1.eml"])


def test_nobody_keeps_another_s_mail_out_by_using_its_id(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    folder.drop("First!", From="buyer@hanbit.example", Message_ID="<same@acme.example>")
    folder.drop("My own.", Message_ID="<same@acme.example>")
    folder.drop("My own.", Message_ID="<same@acme.example>", name="again.eml")

    fetch_mail(now)

    owners = db.session.scalars(select(Case.membership_id).order_by(Case.id)).all()
    assert owners == [cast.hanbit.buyer.membership_id, cast.acme.buyer.membership_id]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"From": "stranger@acme.example"}, "Nobody with the address stranger@acme.example"),
        ({"From": "cfo@acme.example, buyer@acme.example"}, "exactly one sender"),
        ({"Auto_Submitted": "auto-replied"}, "sent by a machine (Auto-Submitted)"),
        ({"From": "portal@localhost"}, "sent by a machine (From)"),
    ],
)
def test_what_is_not_taken_is_put_aside_with_its_reason(
    cast: Cast,
    folder: Folder,
    now: datetime,
    business_rows: BusinessRows,
    headers: dict[str, str],
    reason: str,
) -> None:
    assert cast.acme.account_id
    before = business_rows()
    folder.drop(**headers)

    assert fetch_mail(now) == 1

    assert reason in folder.reason()
    assert (folder.names(), folder.names("done")) == ([], [])
    assert business_rows() == before


def test_whoever_can_not_act_any_more_opens_nothing(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    assert cast.acme.account_id
    with transaction():
        db.session.execute(
            update(Person).where(Person.email == "buyer@acme.example").values(status="suspended")
        )
    folder.drop()

    fetch_mail(now)

    assert (count_cases(), "may open cases" in folder.reason()) == (0, True)
    assert told() == []


def told() -> list[Message]:
    statement = select(Message).where(Message.kind == "mail_not_taken").order_by(Message.id)
    return list(db.session.scalars(statement))


def test_a_known_sender_is_told_once_a_day_that_the_mail_was_not_taken(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    agent = cast.supplier.service_agent
    for _each in range(3):
        folder.drop(From="service@northwind.example", Subject="About {a} lamp")

    fetch_mail(now)
    folder.drop(From="service@northwind.example")
    fetch_mail(now + timedelta(hours=25))

    first, second = told()
    assert first.person_id == second.person_id == agent.person_id
    assert first.data["subject"] == "About {a} lamp"
    deliver({"message_id": first.id, "is_secret": False}, now)
    written = next((folder.path.parent / "mail").glob("*.eml")).read_bytes()
    mail = message_from_bytes(written, policy=policy.default)
    body = mail.get_body(("plain",))
    assert mail["Subject"] == "Not received: About {a} lamp"
    assert body is not None
    assert "answers no case that they see" in body.get_content()


@pytest.mark.parametrize(
    "headers",
    [
        {"From": "Eve <eve@elsewhere.example>"},
        {"From": "service@northwind.example", "Auto_Submitted": "auto-replied"},
    ],
)
def test_strangers_and_machines_are_not_answered(
    cast: Cast, folder: Folder, now: datetime, headers: dict[str, str]
) -> None:
    assert cast.acme.account_id
    folder.drop(**headers)

    fetch_mail(now)

    assert folder.names("rejected") == ["1.eml", "1.eml.reason.txt"]
    assert told() == []


def test_a_mail_too_big_is_not_even_read(cast: Cast, folder: Folder, now: datetime) -> None:
    assert cast.acme.account_id
    mail = folder.drop()
    folder.put(bytes(mail) + b"x" * MOST_BYTES, "1.eml")

    fetch_mail(now)

    assert folder.reason() == "The mail is larger than 30 MiB."


def test_one_mail_that_trips_the_program_holds_no_other_back(
    cast: Cast, folder: Folder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cast.acme.account_id
    take: Callable[..., str] = mailbox.take_letter

    def trip(letter: Letter, settings: Settings, at: datetime) -> str:
        if letter.subject == "trip":
            message = "nobody thought of this"
            raise RuntimeError(message)
        return take(letter, settings, at)

    monkeypatch.setattr(mailbox, "take_letter", trip)
    folder.drop(Subject="trip")
    folder.drop()

    assert fetch_mail(now) == 2

    assert folder.reason() == "RuntimeError: nobody thought of this"
    assert the_case().subject == "A lamp"


def test_only_mails_are_read_and_a_maildir_is_one_too(
    cast: Cast, folder: Folder, now: datetime
) -> None:
    assert cast.acme.account_id
    folder.drop(name="new/1732.M1P2.mail")
    folder.put(b"half", "coming.partial")
    (folder.path / "link.eml").symlink_to("/etc/hostname")

    assert fetch_mail(now) == 1

    assert (count_cases(), folder.names("done")) == (1, ["1732.M1P2.mail"])
    assert folder.names() == ["coming.partial", "link.eml"]


def test_a_file_that_is_being_written_waits(cast: Cast, folder: Folder) -> None:
    assert cast.acme.account_id
    folder.drop()
    written = (folder.path / "1.eml").stat().st_mtime

    assert fetch_mail(datetime.fromtimestamp(written + 1).astimezone()) == 0
    assert fetch_mail(datetime.fromtimestamp(written + 3).astimezone()) == 1


def test_of_several_memberships_the_one_that_reaches_the_case_answers(
    cast: Cast, folder: Folder, opened: OpenCase, now: datetime
) -> None:
    """The buyer belongs to two units; the case is of the second one."""
    second = cast.acme.buyer_at_research
    case = opened(second)
    folder.drop("It is red.", Subject=f"[{case.number}]")

    fetch_mail(now)

    memberships = db.session.scalars(
        select(Membership.id).where(Membership.person_id == second.person_id)
    ).all()
    assert len(memberships) > 1
    assert said(case)[-1].membership_id == second.membership_id
