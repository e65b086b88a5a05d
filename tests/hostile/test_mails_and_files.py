"""Mails and attached files as nobody means them: read, or refused in the portal's own words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.errors import DomainError
from portal.service.cases.attaching import ENDINGS, LONGEST_NAME, media_type_of, safe_name
from portal.service.letters import Letter, read_letter
from tests.hostile import corpus
from tests.hostile.judging import can_be_kept, few, says_why

pytestmark = pytest.mark.any_database

# --- mail ----------------------------------------------------------------------------------------

LETTER = (
    b"From: Bo Buyer <buyer@acme.example>\r\nTo: service@northwind.example\r\n"
    b"Subject: A lamp\r\nMessage-ID: <1@acme.example>\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe lamp blinks.\r\n--b\r\n"
    b'Content-Type: image/png; name="lamp.png"\r\nContent-Transfer-Encoding: base64\r\n'
    b'Content-Disposition: attachment; filename="lamp.png"\r\n\r\niVBORw0KGgo=\r\n--b--\r\n'
)


def _take(raw: bytes) -> Letter | None:
    try:
        letter = read_letter(raw, own_address="portal@northwind.example")
    except DomainError as error:
        says_why(error)
        return None
    words = (letter.message_id, letter.sender, letter.subject, letter.text, *letter.references)
    assert all(can_be_kept(word) for word in words), words
    assert "\n" not in letter.subject + letter.sender + letter.message_id
    assert "\r" not in letter.subject + letter.sender + letter.message_id
    for file in letter.files:
        _name_is_safe(file.name, file.content)
    return letter


def test_the_letter_that_is_broken_below_is_a_good_one() -> None:
    letter = _take(LETTER)

    assert letter is not None
    assert [file.name for file in letter.files] == ["lamp.png"]


@settings(few, max_examples=150)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LETTER) - 1), st.binary(min_size=1, max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_a_letter_with_broken_bytes_is_read_or_refused(changes: list[tuple[int, bytes]]) -> None:
    raw = bytearray(LETTER)
    for place, put in changes:
        raw[place : place + len(put)] = put

    _take(bytes(raw))


@pytest.mark.parametrize(
    "header", [b"From", b"Subject", b"Message-ID", b"In-Reply-To", b"References", b"Content-Type"]
)
@pytest.mark.parametrize(
    "value",
    [
        b"<a\x00b@c>",
        b"\xff\xfe\xed\xa0\x80 <\xff@acme.example>",
        b"=?utf-16?B?2AA=?= <buyer@acme.example>",
        b"=?utf-7?Q?+2AA-?= x",
        b"=?utf-8?Q?a=00b=0D=0ABcc:_x@evil.example?= <a=?utf-8?Q?=00?=b@acme.example>",
        b"=?unknown?X?%%%?=",
        b"text/plain; charset=unicode_escape",
        b'text/plain; charset="' + b"x" * 3000 + b'"',
        b"multipart/mixed; boundary=" + b"-" * 5000,
        b"(" * 3000,
        b'"' * 99,
        b"<" * 5000 + b"@",
        b"x" * 100_000,
    ],
    ids=lambda value: repr(value[:24]),
)
def test_a_hostile_header_is_read_or_refused(header: bytes, value: bytes) -> None:
    lines = [
        line for line in LETTER.split(b"\r\n") if not line.lower().startswith(header.lower() + b":")
    ]
    _take(header + b": " + value + b"\r\n" + b"\r\n".join(lines))


@pytest.mark.parametrize(
    "name",
    [
        "utf-7",
        "unicode_escape",
        "raw_unicode_escape",
        "utf-16",
        "utf-32",
        "idna",
        "punycode",
        "hex",
        "rot13",
        "undefined",
        "zlib",
        "../../etc/passwd",
        "mbcs",
    ],
)
def test_a_letter_in_a_strange_character_set_is_read_or_refused(name: str) -> None:
    for body in (b"The lamp. +2AA- \\ud800 \\x00", b"\x00\xd8\x00\x00", b"\xff\xfe\x00\xd8"):
        raw = LETTER.replace(b"charset=utf-8", b"charset=" + name.encode())
        _take(raw.replace(b"The lamp blinks.", body))


# --- files that are attached ---------------------------------------------------------------------

STARTS = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"%PDF-",
    b"RIFF1234WEBP",
    b"    ftypheic",
    b"hello",
]


def _name_is_safe(name: str, content: bytes) -> None:
    media_type = media_type_of(content)
    if media_type is None:
        return
    safe = safe_name(name, media_type)
    assert can_be_kept(safe)
    assert 0 < len(safe) <= LONGEST_NAME
    assert not set(safe) & set('/\\:*?"<>|\r\n\x00')
    assert safe not in {".", ".."}
    assert not safe.startswith(".")
    assert "." in safe


@pytest.mark.parametrize("name", corpus.FILE_NAMES, ids=lambda name: repr(name[:30]))
def test_a_file_keeps_no_name_that_leads_elsewhere(name: str) -> None:
    for start in STARTS:
        _name_is_safe(name, start)


@few
@given(st.one_of(st.text(max_size=200), st.sampled_from(corpus.TEXTS)), st.sampled_from(STARTS))
def test_no_name_of_a_file_breaks_anything(name: str, start: bytes) -> None:
    _name_is_safe(name, start)


@few
@given(
    st.one_of(
        st.binary(max_size=100),
        st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary(max_size=60)),
    )
)
def test_a_file_is_of_a_kind_that_is_known_or_of_none(content: bytes) -> None:
    assert media_type_of(content) in {*ENDINGS, None}


def test_programs_and_pages_are_no_files_that_are_taken() -> None:
    for content in (
        b"MZ\x90\x00",
        b"\x7fELF\x02\x00",
        b"PK\x03\x04\x00",
        b"<svg onload=alert(1)>\x00",
    ):
        assert media_type_of(content) is None
    assert media_type_of(b"<script>alert(1)</script>") == "text/plain"
