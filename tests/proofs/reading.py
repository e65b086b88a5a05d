"""Everything a person can read in an answer: page, headers, PDF, spreadsheet, mail."""

import html
import io
import re
import zipfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import lru_cache
from typing import Final
from urllib.parse import urljoin, urlsplit

from pypdf import PdfReader
from werkzeug.test import TestResponse

from tests.stage import PortalClient

_LINK: Final = re.compile(r"""(?:href|action|hx-get|src)=["']([^"'#]+)""")
_NOT_FOLLOWED: Final = ("/static/", "/sign-out", "/language", "/healthz", "/readyz")


@dataclass(frozen=True)
class Answer:
    """One address as somebody got it."""

    path: str
    status: int
    kind: str
    text: str


def read(path: str, response: TestResponse) -> Answer:
    """Return all text of an answer, whatever its format."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers)
    kind = response.mimetype or ""
    return Answer(path, response.status_code, kind, f"{headers}\n{_text(kind, response.data)}")


def crawl(client: PortalClient, start: list[str], most: int) -> Iterator[Answer]:
    """Open every address that can be reached by links and forms from ``start``, ``most`` at most.

    Of addresses that differ in their query alone a few are opened: sorting and paging of one list.
    """
    waiting, seen, per_path = deque(start), set(start), dict[str, int]()
    while waiting and len(seen) <= most * 5:
        path = waiting.popleft()
        shape = re.sub(r"\d+", "0", urlsplit(path).path)
        per_path[shape] = per_path.get(shape, 0) + 1
        if per_path[shape] > _ALIKE or sum(per_path.values()) > most:
            continue
        answer = read(path, client.get(path))
        yield answer
        for link in _links(path, answer):
            if link not in seen:
                seen.add(link)
                waiting.append(link)


_ALIKE: Final = 6
"""How many addresses of one shape are opened, digits aside: enough for each kind of content."""


def _links(path: str, answer: Answer) -> list[str]:
    found = [urljoin(path, html.unescape(link)) for link in _LINK.findall(answer.text)]
    location = re.search(r"^Location: (\S+)", answer.text, re.MULTILINE)
    if location:
        found.append(location.group(1))
    local = (urlsplit(link) for link in found)
    return [
        f"{parts.path}?{parts.query}" if parts.query else parts.path
        for parts in local
        if parts.scheme in {"", "http"}
        and parts.netloc in {"", "localhost"}
        and parts.path.startswith("/")
        and not parts.path.startswith(_NOT_FOLLOWED)
    ]


def read_mail(mail: EmailMessage) -> str:
    """Return headers and all parts of a mail."""
    parts = [f"{name}: {value}" for name, value in mail.items()]
    for part in mail.walk():
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):
            parts.append(_text(part.get_content_type(), data))
    return "\n".join(parts)


def _text(kind: str, data: bytes) -> str:
    if kind == "application/pdf":
        return _pdf_text(data)
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "\n".join(archive.read(name).decode("utf-8") for name in archive.namelist())
    return html.unescape(data.decode("utf-8", errors="replace"))


@lru_cache(maxsize=200)
def _pdf_text(data: bytes) -> str:
    """Read a document once, however many people got the same one."""
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
