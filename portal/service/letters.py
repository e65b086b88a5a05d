"""Reading a mail: who wrote it, what is new in it, what hangs on it, and who sent it really."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from hashlib import sha256
from typing import Any, Final

from portal.errors import N_, InvalidError
from portal.service.cases.attaching import Attachment
from portal.service.quoting import fresh_part, plain_subject, text_of_html

MOST_BYTES: Final = 30 * 1024 * 1024
MOST_PARTS: Final = 100
MOST_BOUNDARIES: Final = 200
"""Parts within parts cost the parser more than they can be worth."""
SMALLEST_INLINE: Final = 4 * 1024
"""Pictures inside the text below this size are logos of a signature, not evidence."""
LONGEST_ID: Final = 255

_MACHINES: Final = re.compile(
    r"(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b", re.IGNORECASE
)
_BULK: Final = frozenset({"bulk", "junk", "list", "auto_reply"})
_SAYS_MACHINE: Final = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Auto-Reply",
    "X-Failed-Recipients",
    "X-Loop",
    "List-Id",
)
_ID: Final = re.compile(r"<[^<>\s\x00-\x1f\x7f\ud800-\udfff]{3,400}>")
_UNSAYABLE: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
"""What ends a line or has no place in a database: no address, subject or name holds it."""


class NotReadableError(InvalidError):
    """The file is no mail, or a broken one."""

    message = N_("The file can't be read as a mail.")


class NoSenderError(InvalidError):
    """It must be clear whose words a mail carries."""

    message = N_("The mail does not name exactly one sender.")


class MachineError(InvalidError):
    """Machines are not answered, so that no two of them ever answer each other."""

    message = N_("The mail was sent by a machine ({why}).")


class ForgedError(InvalidError):
    """The mail server found that the sender is not who the mail says."""

    message = N_("The mail server could not confirm the sender (DMARC).")


class EmptyMailError(InvalidError):
    """There is nothing to take over."""

    message = N_("The mail holds neither text nor files.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail as far as the service is concerned; ``text`` is what is new in it."""

    message_id: str
    sender: str
    subject: str
    references: tuple[str, ...]
    text: str
    files: tuple[Attachment, ...]


def read_letter(raw: bytes, *, own_address: str) -> Letter:
    """Return what a mail says.

    Args:
        raw: The file, as the mail server wrote it.
        own_address: The portal's own sender, whose mail never comes in.

    Raises:
        NotReadableError, NoSenderError, MachineError, ForgedError, EmptyMailError: Not taken.
    """
    if raw.lower().count(b"boundary=") > MOST_BOUNDARIES:
        raise NotReadableError
    try:
        mail = message_from_bytes(raw, policy=policy.default)
        return _read(mail, raw, own_address)
    except InvalidError:
        raise
    except Exception as error:  # the parser meets what was never meant to be parsed
        raise NotReadableError from error


def _read(mail: EmailMessage, raw: bytes, own_address: str) -> Letter:
    if not mail.keys():
        raise NotReadableError
    sender = _sender(mail)
    _must_be_a_person(mail, sender, own_address)
    if any(
        "dmarc=fail" in str(item).lower() for item in mail.get_all("Authentication-Results", ())
    ):
        raise ForgedError
    parts = list(_parts(mail))[:MOST_PARTS]
    body = _body(parts)
    text = fresh_part(_text_of(body)) if body is not None else ""
    files = tuple(_files(part for part in parts if part is not body))
    if not text and not files:
        raise EmptyMailError
    return Letter(
        message_id=_message_id(mail, raw),
        sender=sender,
        subject=plain_subject(_line(str(mail["Subject"] or ""))),
        references=_references(mail),
        text=text,
        files=files,
    )


def _sender(mail: EmailMessage) -> str:
    """Return the one address of the one From; anything else could be read in two ways."""
    headers: list[Any] = mail.get_all("From", [])
    addresses: Any = headers[0].addresses if len(headers) == 1 else ()
    sender = str(addresses[0].addr_spec).lower() if len(addresses) == 1 else ""
    if "@" not in sender or _UNSAYABLE.search(sender):
        raise NoSenderError
    return sender


def _must_be_a_person(mail: EmailMessage, sender: str, own_address: str) -> None:
    """Raise `MachineError` for automatic answers, bounces, lists and the portal's own mail."""
    said = str(mail["Auto-Submitted"] or "no").strip().lower()
    bulk = str(mail["Precedence"] or "").strip().lower()
    reasons = {
        "Auto-Submitted": not said.startswith("no"),
        "Precedence": bulk in _BULK,
        "Return-Path": str(mail["Return-Path"] or "").strip() == "<>",
        "From": sender == own_address.lower() or _MACHINES.match(sender) is not None,
        "Content-Type": mail.get_content_type() in {"multipart/report", "message/delivery-status"},
        **{name: name in mail for name in _SAYS_MACHINE},
    }
    for why, holds in reasons.items():
        if holds:
            raise MachineError(why=why)


def _message_id(mail: EmailMessage, raw: bytes) -> str:
    """Return the mail's own id, or the fingerprint of its content where it has none that fits."""
    found = _ID.search(str(mail["Message-ID"] or ""))
    if found is not None and len(found.group()) <= LONGEST_ID:
        return found.group()
    return f"<sha256.{sha256(raw).hexdigest()}>"


def _references(mail: EmailMessage) -> tuple[str, ...]:
    """Return what the mail answers, the nearest first, each once."""
    near = _ID.findall(str(mail["In-Reply-To"] or ""))
    far = _ID.findall(str(mail["References"] or ""))
    return tuple(dict.fromkeys([*near, *reversed(far)]))[:MOST_PARTS]


def _parts(mail: MIMEPart) -> Iterator[MIMEPart]:
    """Yield the leaves of a mail; a mail that is attached to it is one leaf."""
    if mail.get_content_type() == "message/rfc822" or not mail.is_multipart():
        yield mail
        return
    for part in mail.iter_parts():
        yield from _parts(part)


def _body(parts: Sequence[MIMEPart]) -> MIMEPart | None:
    """Return the part that carries the words: the first plain one, else the first HTML."""
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind and not _is_file(part):
                return part
    return None


def _is_file(part: MIMEPart) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _files(parts: Iterator[MIMEPart]) -> Iterator[Attachment]:
    """Yield what hangs on the mail; the same words in another form are not a file."""
    for part in parts:
        is_inline = part.get_content_disposition() != "attachment"
        if part.get_content_maintype() == "text" and not _is_file(part):
            continue
        content = _content(part)
        if is_inline and part.get_content_maintype() == "image" and len(content) < SMALLEST_INLINE:
            continue
        if content:
            yield Attachment(_line(part.get_filename() or "") or _name(part), content)


def _name(part: MIMEPart) -> str:
    return "mail.txt" if part.get_content_type() == "message/rfc822" else "file"


def _content(part: MIMEPart) -> bytes:
    if part.get_content_type() == "message/rfc822":
        inner: Any = part.get_content()
        return bytes(inner)
    decoded: Any = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _text_of(part: MIMEPart) -> str:
    """Return the words of a part, whatever its character set says."""
    raw = _content(part)
    try:
        text = raw.decode(part.get_content_charset("utf-8"))
    except (LookupError, UnicodeDecodeError):
        text = raw.decode("utf-8", errors="replace")
    if part.get_content_type() == "text/html":
        text = text_of_html(text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", "", text)


def _line(text: str) -> str:
    """Return a text of one line, as it can be kept and handed on."""
    return _UNSAYABLE.sub(" ", text).strip()
