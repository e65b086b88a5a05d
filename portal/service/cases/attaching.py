"""What may be attached: told by its content, never by its name, and within limits."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from portal.errors import N_, InvalidError

MEBIBYTE: Final = 1024 * 1024
MOST_BYTES: Final = 20 * MEBIBYTE
MOST_TOGETHER: Final = 40 * MEBIBYTE
MOST_FILES: Final = 8
LONGEST_NAME: Final = 120
ACCEPT: Final = ".jpg,.jpeg,.png,.gif,.webp,.heic,.mp4,.mov,.pdf,.txt,.log,.csv"

_STARTS: Final[Sequence[tuple[bytes, int, str]]] = (
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"GIF87a", 0, "image/gif"),
    (b"GIF89a", 0, "image/gif"),
    (b"%PDF-", 0, "application/pdf"),
)
_BRANDS: Final = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"qt  ": "video/quicktime",
    b"isom": "video/mp4",
    b"iso2": "video/mp4",
    b"iso5": "video/mp4",
    b"mp41": "video/mp4",
    b"mp42": "video/mp4",
    b"avc1": "video/mp4",
    b"M4V ": "video/mp4",
}
ENDINGS: Final = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}
_KEPT_ENDINGS: Final = {
    "image/jpeg": {".jpg", ".jpeg"},
    "text/plain": {".txt", ".log", ".csv", ".json", ".xml", ".ini", ".conf", ".md"},
}
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff/\\:*?"<>|]+')


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as somebody sent it."""

    name: str
    content: bytes


class TooManyFilesError(InvalidError):
    """More files than one message may carry."""

    message = N_("Attach at most {most} files at a time; there are {count}.")
    field = "files"


class TooBigError(InvalidError):
    """A file, or all of them together, are larger than what is taken."""

    message = N_("“{name}” is larger than {most} MiB. Make it smaller or send a part of it.")
    field = "files"


class TooBigTogetherError(InvalidError):
    """All files of one message are larger together than what is taken."""

    message = N_("The files are larger than {most} MiB together. Send some of them first.")
    field = "files"


class UnsafeFileError(InvalidError):
    """The content is none of the kinds that are safe to hand on."""

    message = N_(
        "“{name}” is not a photo, video, PDF or text file. "
        "Attach a JPEG, PNG, GIF, WebP, HEIC, MP4, MOV, PDF or plain text file."
    )
    field = "files"


class EmptyFileError(InvalidError):
    """There is nothing in the file."""

    message = N_("“{name}” is empty.")
    field = "files"


def media_type_of(content: bytes) -> str | None:
    """Return the media type that the content shows, or ``None`` where it is none that is taken."""
    for start, offset, media_type in _STARTS:
        if content[offset : offset + len(start)] == start:
            return media_type
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12])
    return "text/plain" if _is_text(content) else None


def _is_text(content: bytes) -> bool:
    """Whether the content is UTF-8 without control characters that no text file has."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return not re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text)


def safe_name(name: str, media_type: str) -> str:
    """Return a name that no system trips over, with the ending that its content deserves."""
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    plain = _FORBIDDEN.sub("_", plain).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    ending = f"{dot}{ending}".lower()
    allowed = _KEPT_ENDINGS.get(media_type, {ENDINGS[media_type]})
    if not stem or ending not in allowed:
        stem, ending = plain or "file", ENDINGS[media_type]
    return stem[: LONGEST_NAME - len(ending)] + ending


def check_attachments(attachments: Sequence[Attachment]) -> list[str]:
    """Return the media type of each file; refuse what is too many, too big or not safe.

    Raises:
        TooManyFilesError, EmptyFileError, TooBigError, TooBigTogetherError, UnsafeFileError.
    """
    if len(attachments) > MOST_FILES:
        raise TooManyFilesError(most=MOST_FILES, count=len(attachments))
    for attachment in attachments:
        _check_size(attachment)
    if sum(len(attachment.content) for attachment in attachments) > MOST_TOGETHER:
        raise TooBigTogetherError(most=MOST_TOGETHER // MEBIBYTE)
    return [_check_type(attachment) for attachment in attachments]


def _check_size(attachment: Attachment) -> None:
    if not attachment.content:
        raise EmptyFileError(name=attachment.name[:80])
    if len(attachment.content) > MOST_BYTES:
        raise TooBigError(name=attachment.name[:80], most=MOST_BYTES // MEBIBYTE)


def _check_type(attachment: Attachment) -> str:
    media_type = media_type_of(attachment.content)
    if media_type is None:
        raise UnsafeFileError(name=attachment.name[:80])
    return media_type
