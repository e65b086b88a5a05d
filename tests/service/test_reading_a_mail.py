"""What of a mail is taken: the new words, the files that matter, and nothing of machines."""

from email.message import EmailMessage

import pytest

from portal.service.letters import (
    EmptyMailError,
    ForgedError,
    Letter,
    MachineError,
    NoSenderError,
    NotReadableError,
    read_letter,
)
from portal.service.quoting import fresh_part, plain_subject, text_of_html

pytestmark = pytest.mark.any_database

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8000


def mail(text: str = "The lamp blinks.", **headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in {
        "From": "Bo Buyer <buyer@acme.example>",
        "To": "service@northwind.example",
        "Subject": "A lamp",
        "Message_ID": "<1@acme.example>",
        **headers,
    }.items():
        made[name.replace("_", "-")] = value
    if text:
        made.set_content(text)
    return made


def read(message: EmailMessage | bytes) -> Letter:
    raw = message if isinstance(message, bytes) else bytes(message)
    return read_letter(raw, own_address="portal@northwind.example")


def test_a_plain_mail_is_read() -> None:
    letter = read(mail(In_Reply_To="<b@x>", References="<a@x> <b@x>"))

    assert letter == Letter(
        message_id="<1@acme.example>",
        sender="buyer@acme.example",
        subject="A lamp",
        references=("<b@x>", "<a@x>"),
        text="The lamp blinks.",
        files=(),
    )


def test_a_mail_without_an_id_is_known_by_its_content() -> None:
    one, other = mail(), mail("The lamp glows.")
    del one["Message-ID"], other["Message-ID"]

    assert read(one).message_id == read(one).message_id
    assert read(one).message_id != read(other).message_id


def test_files_come_with_it_and_small_logos_do_not() -> None:
    message = mail()
    message.add_related(PNG[:900], maintype="image", subtype="png", cid="<logo>")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="lamp.png")
    message.add_attachment(b"log", maintype="text", subtype="plain", filename="device.log")

    assert [(file.name, len(file.content)) for file in read(message).files] == [
        ("lamp.png", len(PNG)),
        ("device.log", 3),
    ]


def test_the_same_words_as_html_are_not_a_file() -> None:
    message = mail()
    message.add_alternative("<p>The lamp <b>blinks</b>.</p>", subtype="html")

    letter = read(message)

    assert (letter.text, letter.files) == ("The lamp blinks.", ())


def test_a_mail_in_html_alone_is_read_as_it_looks() -> None:
    message = mail("")
    message.set_content(
        "<style>p{color:red}</style><p>The lamp&nbsp;blinks.</p><script>alert(1)</script>"
        "<ul><li>red<li>green</ul><blockquote>We wrote this.</blockquote>",
        subtype="html",
    )

    assert read(message).text == "The lamp blinks.\n\nred\ngreen"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("euc-kr", "램프가 깜박입니다."),
        ("gb18030", "灯在闪。"),
        ("big5", "燈在閃。"),
        ("latin-1", "Lämpchen"),
    ],
)
def test_words_come_in_any_character_set(charset: str, text: str) -> None:
    message = mail("")
    message.set_content(text, charset=charset)

    assert read(message).text == text


def test_a_character_set_that_nobody_knows_is_read_as_far_as_it_goes() -> None:
    raw = bytes(mail()).replace(b'charset="utf-8"', b'charset="klingon"')

    assert read(raw).text == "The lamp blinks."


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Auto_Submitted": "auto-replied"}, "Auto-Submitted"),
        ({"Precedence": "Bulk"}, "Precedence"),
        ({"Return_Path": "<>"}, "Return-Path"),
        ({"From": "MAILER-DAEMON@acme.example"}, "From"),
        ({"From": "no-reply@acme.example"}, "From"),
        ({"From": "portal@Northwind.example"}, "From"),
        ({"X_Autoreply": "yes"}, "X-Autoreply"),
        ({"List_Id": "<all.acme.example>"}, "List-Id"),
    ],
)
def test_machines_are_not_listened_to(headers: dict[str, str], why: str) -> None:
    with pytest.raises(MachineError, match=why):
        read(mail(**headers))


def test_a_person_whose_program_says_so_is_no_machine() -> None:
    assert read(mail(Auto_Submitted="no")).sender == "buyer@acme.example"
    assert read(mail(From="norbert.reply@acme.example")).sender == "norbert.reply@acme.example"


@pytest.mark.parametrize("sender", ["", "buyer", "buyer@acme.example, cfo@acme.example"])
def test_it_must_be_clear_who_wrote(sender: str) -> None:
    with pytest.raises(NoSenderError):
        read(mail(From=sender))


def test_two_senders_in_two_headers_are_not_one() -> None:
    raw = b"From: cfo@acme.example\r\n" + bytes(mail())

    with pytest.raises(NoSenderError):
        read(raw)


def test_what_the_mail_server_did_not_believe_is_not_believed_here() -> None:
    with pytest.raises(ForgedError):
        read(mail(Authentication_Results="mx.example; spf=pass; DMARC=fail (p=none)"))
    assert read(mail(Authentication_Results="mx.example; dmarc=pass")).text


@pytest.mark.parametrize("raw", [b"", b"\0\1\2\3", b"no mail at all"])
def test_what_is_no_mail_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises((NotReadableError, NoSenderError)):
        read(raw)


def test_parts_within_parts_without_end_are_refused() -> None:
    head = b"From: buyer@acme.example\r\n"
    nested = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(3000)
    )
    with pytest.raises((NotReadableError, EmptyMailError)):
        read(head + nested)


def test_a_mail_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(EmptyMailError):
        read(mail(" \n "))


def test_a_mail_attached_to_it_is_one_file() -> None:
    inner = mail("Inner words")
    inner.add_attachment(PNG, maintype="image", subtype="png", filename="inner.png")
    message = mail()
    message.add_attachment(inner)

    letter = read(message)

    assert letter.text == "The lamp blinks."
    assert [file.name for file in letter.files] == ["mail.txt"]
    assert b"Inner words" in letter.files[0].content


@pytest.mark.parametrize(
    "written",
    [
        "Yes.\n\nOn Mon, 23 Nov 2026 at 09:00, Northwind <a@b.example> wrote:\n> Is it red?",
        "Yes.\n\nOn Mon, 23 Nov 2026 at 09:00, Northwind\n<a@b.example> wrote:\n> Is it red?",
        "Yes.\n\nAm 23.11.2026 um 09:00 schrieb Northwind:\n> Is it red?",
        "Yes.\n\n-----Original Message-----\nFrom: a\nIs it red?",
        "Yes.\n\n________________________________\nFrom: a\nSent: today\nIs it red?",
        "Yes.\n\nVon: Northwind\nGesendet: heute\nIs it red?",
        "Yes.\n\n2026年11月23日 Northwind <a@b.example> 写道：\n> Is it red?",  # noqa: RUF001 - as it comes
        "Yes.\n\n2026년 11월 23일 (월) 오전 9:00, Northwind <a@b.example>님이 작성:\n> Is it red?",
        "On Mon, 23 Nov 2026, Northwind wrote:\n> Is it red?\nYes.",
        "> Is it red?\nYes.",
        "Yes.\n-- \nBo Buyer\nACME",
    ],
)
def test_only_what_is_new_is_kept(written: str) -> None:
    assert fresh_part(written) == "Yes."


@pytest.mark.parametrize(
    "written",
    [
        "From: the lamp\nTo: the wall it blinks.",
        "On Monday it blinked.\nThe engineer wrote: replace it.",
        "-- \nonly a signature",
        "> only a quotation",
        "- red\n- green\n----\nblue",
    ],
)
def test_nothing_is_lost_where_it_is_not_certain(written: str) -> None:
    assert all(word in fresh_part(written) for word in written.split() if word.isalpha()) or (
        fresh_part(written) == written
    )


def test_a_letter_made_to_be_slow_is_not() -> None:
    assert len(fresh_part("on " + "x " * 500_000)) < 200_000
    assert fresh_part(("on " + "y" * 190 + "\n") * 5_000)


@pytest.mark.parametrize(
    ("subject", "plain"),
    [
        ("Re: AW: Fwd: A lamp", "A lamp"),
        ("回复：A lamp", "A lamp"),  # noqa: RUF001 - as it comes
        ("Regarding the lamp", "Regarding the lamp"),
        ("  two\r\n lines ", "two lines"),
    ],
)
def test_marks_of_replies_are_taken_from_subjects(subject: str, plain: str) -> None:
    assert plain_subject(subject) == plain


def test_html_that_is_no_html_still_gives_its_words() -> None:
    assert text_of_html("a < b & <b>c</p> <!-- x --> <![CDATA[y]]>").startswith("a < b & c")
