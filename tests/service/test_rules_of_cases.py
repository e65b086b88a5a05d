"""Routing, attachments and the states of cases: pure rules."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.policy import Actor, operator_actor
from portal.service.cases.attaching import (
    LONGEST_NAME,
    MEBIBYTE,
    MOST_BYTES,
    MOST_FILES,
    Attachment,
    EmptyFileError,
    TooBigError,
    TooBigTogetherError,
    TooManyFilesError,
    UnsafeFileError,
    check_attachments,
    media_type_of,
    safe_name,
)
from portal.service.cases.routing import CaseFacts, Rule, route
from portal.service.cases.rules import CaseKind, CaseStatus, IllegalMoveError, Move, Priority

FACTS = CaseFacts(
    kind=CaseKind.REPAIR, account_id=7, country="DE", category_path="Hardware/Laptops/14 inch"
)


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule(number=1, team_id=1), True),
        (Rule(number=1, team_id=1, kind=CaseKind.REPAIR, country="DE", account_id=7), True),
        (Rule(number=1, team_id=1, kind=CaseKind.RETURN), False),
        (Rule(number=1, team_id=1, category_path="Hardware"), True),
        (Rule(number=1, team_id=1, category_path="Hardware/Lap"), False),
        (Rule(number=1, team_id=1, category_path="Hardware/Laptops/14 inch/x"), False),
        (Rule(number=1, team_id=1, account_id=8), False),
        (Rule(number=1, team_id=1, country="AT"), False),
    ],
)
def test_a_rule_matches_when_every_condition_holds(rule: Rule, matches: bool) -> None:  # noqa: FBT001
    assert (route([rule], FACTS) is rule) is matches


def test_the_lowest_number_decides_in_whatever_order_rules_come() -> None:
    late = Rule(number=20, team_id=2)
    early = Rule(number=10, team_id=1, kind=CaseKind.REPAIR, priority=Priority.HIGH)

    assert route([late, early], FACTS) is early
    assert route([], FACTS) is None


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x18ftypheic", "image/heic"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        ("Ereignis 1: größer\n\tok".encode(), "text/plain"),
        (b"MZ\x90\0", None),
        (b"PK\x03\x04", None),
        (b"\x7fELF\x02", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"\0\0\0\x18ftyphack", None),
        (b"\xff\xfe<\0", None),
    ],
)
def test_the_content_says_what_a_file_is(content: bytes, media_type: str | None) -> None:
    assert media_type_of(content) == media_type


@pytest.mark.parametrize(
    ("name", "media_type", "safe"),
    [
        ("photo.JPEG", "image/jpeg", "photo.jpeg"),
        ("../../etc/passwd", "text/plain", "passwd.txt"),
        ("C:\\logs\\boot.log", "text/plain", "boot.log"),
        ("invoice.pdf.exe", "application/pdf", "invoice.pdf.exe.pdf"),
        ("page.html", "text/plain", "page.html.txt"),
        ("", "image/png", "file.png"),
        ("...", "image/png", "file.png"),
        ('a"b\r\nc.png', "image/png", "a_b_c.png"),
        ("사진.png", "image/png", "사진.png"),
    ],
)
def test_a_name_does_no_harm(name: str, media_type: str, safe: str) -> None:
    assert safe_name(name, media_type) == safe


@given(st.text(max_size=300), st.sampled_from(["image/png", "text/plain", "application/pdf"]))
def test_no_name_ever_leaves_its_folder_or_breaks_a_header(name: str, media_type: str) -> None:
    found = safe_name(name, media_type)

    assert 0 < len(found) <= LONGEST_NAME
    assert not set(found) & set('\r\n\0/\\"')
    assert found.rpartition(".")[2].strip(string.ascii_lowercase) == ""


def test_what_is_too_much_is_refused_in_words() -> None:
    one = Attachment("a.txt", b"x")
    half = Attachment("b.txt", b"x" * (14 * MEBIBYTE))

    assert check_attachments([one] * MOST_FILES) == ["text/plain"] * MOST_FILES
    with pytest.raises(TooManyFilesError, match="at most 8 files"):
        check_attachments([one] * (MOST_FILES + 1))
    with pytest.raises(EmptyFileError, match=r"a\.txt"):
        check_attachments([Attachment("a.txt", b"")])
    with pytest.raises(TooBigError, match="20 MiB"):
        check_attachments([Attachment("a.txt", b"x" * (MOST_BYTES + 1))])
    with pytest.raises(TooBigTogetherError, match="40 MiB"):
        check_attachments([half] * 3)
    with pytest.raises(UnsafeFileError, match=r"a\.jpg"):
        check_attachments([Attachment("a.jpg", b"MZ\x90\0")])


@pytest.mark.parametrize("move", list(Move))
@pytest.mark.parametrize("status", list(CaseStatus))
def test_each_step_is_taken_from_its_states_alone(move: Move, status: CaseStatus) -> None:
    actor: Actor = operator_actor(
        account_id=1, account_code="SUPPLIER", operator="test", time_zone="UTC"
    )
    if status not in move.sources:
        with pytest.raises(IllegalMoveError, match=str(status)):
            move.apply(status, actor, "C-000001")
        return

    after = move.apply(status, actor, "C-000001")

    begins = status is CaseStatus.NEW and move in {Move.ANSWER, Move.ASSIGN}
    assert after is (CaseStatus.OPEN if begins else move.target or status)


def test_nothing_is_done_with_a_merged_case_but_notes_and_corrections() -> None:
    left = {move.name for move in Move if CaseStatus.MERGED in move.sources}

    assert left == {"NOTE", "CHANGE", "ASSESS", "FOLLOW_UP"}
