"""A real browser before a real server: signing in, and what every page must keep."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.client import HTTPConnection
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket
from types import TracebackType
from typing import Any, Final, Literal, Self

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
)

from portal.demo.cast import PASSWORD
from tests.databases import Database

LATER: Final = Path(__file__).with_name("later")
"""Folder that sets the clock of processes which have it on their path."""
_SMALL: Final = Path("/usr/bin/chromium-headless-shell")
CHROMIUM: Final = _SMALL if _SMALL.exists() else Path("/usr/bin/chromium")
"""Chromium without windows, which costs half as much; else a whole one."""
ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
Rules = Mapping[str, str | Sequence[str]]
STANDARDS: Final[Rules] = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}
CONTRAST: Final[Rules] = {"type": "rule", "values": ["color-contrast"]}
_SAID_BY_STATUS: Final = re.compile(r"the server responded with a status of 4(03|04|09|22)")
_LINK: Final = re.compile(r"https?://\S+")


class Server:
    """``portal serve`` on a database of its own: web and worker, as processes."""

    def __init__(self, database: Database, *options: str) -> None:
        self.database = database
        with socket(AF_INET, SOCK_STREAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = database.data_dir / "server.log"
        self.options = options
        self._start(timedelta())

    def _start(self, ahead: timedelta) -> None:
        self._handle = self.log.open("ab")
        environ = os.environ | self.database.environ | {"PORTAL_BASE_URL": self.url}
        if ahead:
            paths = [str(LATER), *filter(None, [os.environ.get("PYTHONPATH")])]
            environ |= {
                "PYTHONPATH": os.pathsep.join(paths),
                "PORTAL_STORY_AHEAD": str(ahead.total_seconds()),
            }
        program = str(Path(sys.executable).with_name("portal"))
        self.process = subprocess.Popen(
            [program, "serve", "--port", str(self.port), *self.options],
            env=environ,
            stdout=self._handle,
            stderr=subprocess.STDOUT,
        )

    def go_on_at(self, instant: datetime) -> None:
        """Start web and worker again as if it were ``instant`` (aware); people sign in anew."""
        self.stop()
        self._start(instant - datetime.now(UTC))
        self.__enter__()

    def __enter__(self) -> Self:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return self
            except OSError:
                time.sleep(0.1)
            finally:
                connection.close()
        self.stop()
        raise AssertionError(self.log.read_text())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and everything it started, without waiting for browsers to let go."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
        self._handle.close()

    def mails_to(self, email: str, *, at_least: int = 1) -> list[EmailMessage]:
        """Return the mails to somebody, oldest first, as soon as the worker wrote that many."""
        deadline = time.monotonic() + 90
        while True:
            found = [mail for mail in self._mails() if email in str(mail["To"])]
            if len(found) >= at_least or time.monotonic() > deadline:
                assert len(found) >= at_least, f"{len(found)} mails to {email}"
                return found
            time.sleep(0.2)

    def _mails(self) -> list[EmailMessage]:
        paths = sorted(
            (self.database.data_dir / "mail").glob("*.eml"),
            key=lambda path: path.stat().st_mtime_ns,
        )
        return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in paths]


def link_in(mail: EmailMessage, part: str = "") -> str:
    """Return the first address in the plain part of a mail that holds ``part``."""
    body = mail.get_body(("plain",))
    assert body is not None, "a mail without a plain part"
    links: list[str] = [
        link.rstrip(".,)>") for link in _LINK.findall(body.get_content()) if part in link
    ]
    assert links, body.get_content()
    return links[0]


Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Look:
    """How somebody looks at the portal."""

    width: int = 1280
    height: int = 800
    theme: Theme = "light"
    locale: str = "en-US"
    javascript: bool = True


@dataclass
class Visitor:
    """Somebody at the portal with a browser of their own; notes what no page may do."""

    browser: Browser
    home: str
    look: Look = field(default_factory=Look)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context: BrowserContext = self._context()
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)
        self.page.on("dialog", lambda dialog: self.faults.append(f"dialog: {dialog.message}"))

    def sign_in(self, email: str, membership: str | None = None, password: str = PASSWORD) -> Page:
        """Sign in through the page; choose ``membership`` ("ACCOUNT - UNIT") where asked."""
        self.open("/sign-in")
        return self.fill_in_sign_in(email, membership, password)

    def fill_in_sign_in(
        self, email: str, membership: str | None = None, password: str = PASSWORD
    ) -> Page:
        """Sign in on the page that is open, wherever it leads afterwards."""
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        press(self.page, "Sign in")
        if "/memberships" in self.page.url:
            buttons = self.page.get_by_role("main").get_by_role("button")
            chosen = buttons.filter(has_text=membership) if membership else buttons
            with self.page.expect_navigation():
                chosen.first.click()
        return self.page

    def open(self, path: str, status: int = 200) -> Page:
        """Open an address; the answer's status is asserted."""
        answer = self.page.goto(path if path.startswith("http") else self.home + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page

    def examine(self, *, themes: tuple[Theme, ...] = ("light", "dark")) -> None:
        """Check the open page: accessible in both themes, and no sideways scrolling at 320 px.

        All on the page that is open: another window costs more than everything it would look at.
        Between the themes only colours differ, so the second is asked for its contrast alone.
        """
        page, size = self.page, self.page.viewport_size
        asked: Rules = STANDARDS
        for theme in themes:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            found = self._violations(asked)
            self.faults += [f"axe {theme} {page.url}: {_said(item)}" for item in found]
            asked = CONTRAST
        page.emulate_media(color_scheme=self.look.theme, reduced_motion="no-preference")
        page.set_viewport_size({"width": 320, "height": 700})
        beyond = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if beyond > 0:
            self.faults.append(f"{page.url}: {beyond} px too wide at 320 px")
        assert size is not None
        page.set_viewport_size(size)

    def _violations(self, asked: Rules) -> list[dict[str, Any]]:
        options = {"runOnly": asked, "resultTypes": ["violations"]}  # the others cost as much again
        found: list[dict[str, Any]] = Axe().run(self.page, options=options).response["violations"]
        return found

    def leave(self) -> None:
        """Close the browser and fail with everything that was noted."""
        self.context.close()
        assert self.faults == []

    def _context(self) -> BrowserContext:
        return self.browser.new_context(
            viewport={"width": self.look.width, "height": self.look.height},
            color_scheme=self.look.theme,
            locale=self.look.locale,
            java_script_enabled=self.look.javascript,
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _SAID_BY_STATUS.search(message.text):
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:", "about:")):
            self.faults.append(f"foreign request: {request.url}")

    def _response(self, response: Response) -> None:
        is_page = response.request.resource_type in {"document", "fetch", "xhr"}
        if response.status >= 500 or (response.status >= 400 and not is_page):
            self.faults.append(f"{response.status}: {response.url}")


def press(where: Page | Locator, name: str) -> None:
    """Press a button that leads to a page, and wait for it: the next button may stand on both."""
    page = where if isinstance(where, Page) else where.page
    with page.expect_navigation():
        where.get_by_role("button", name=name).click()


def _said(violation: dict[str, Any]) -> str:
    nodes = "; ".join(str(node["html"])[:160] for node in violation["nodes"][:3])
    return f"{violation['id']} ({violation['impact']}): {nodes}"
