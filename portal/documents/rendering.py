"""Turning a page into a PDF without trusting the page: a process with limits does it."""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import IO, Final

import structlog

from portal.errors import N_, ConflictError

TIMEOUT_SECONDS: Final = 90
MOST_HTML: Final = 16 * 1024 * 1024
KEPT: Final = 2
"""How many warm renderers one process of the portal keeps; more documents at once start more."""
STALE_SECONDS: Final = 300
"""A renderer is not used any more after this long: well before it ends by itself."""
LENGTH_BYTES: Final = 4
_PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "FONTCONFIG_PATH")
_HOME_OF_PACKAGE: Final = Path(__file__).resolve().parent.parent.parent
_log = structlog.get_logger(__name__)


class DocumentError(ConflictError):
    """The document could not be made."""

    message = N_("The PDF could not be made. Try again; if it stays so, tell your account manager.")


class Renderer:
    """A warm process that makes one document at a time; see `portal.documents.renderer`."""

    def __init__(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.documents.renderer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_HOME_OF_PACKAGE,  # so that it finds this package wherever it is installed
            # It sees no setting of ours: no database address, no secret.
            env={name: os.environ[name] for name in _PASSED if name in os.environ},
            start_new_session=True,  # so that it can be ended with the child that is at work
        )
        if process.stdin is None or process.stdout is None:
            raise OSError
        self._process, self._requests, self._answers = process, process.stdin, process.stdout
        self._owner = os.getpid()
        self._used = time.monotonic()
        self._is_ended = False

    @property
    def is_usable(self) -> bool:
        """Whether it can be given another document, by this process."""
        fresh = time.monotonic() - self._used < STALE_SECONDS
        is_ours = self._owner == os.getpid() and not self._is_ended
        return fresh and is_ours and self._process.poll() is None

    def render(self, source: bytes, timeout_seconds: float) -> tuple[bytes, str]:
        """Return the PDF, or nothing and the reason."""
        timer = Timer(timeout_seconds, self.kill)
        timer.start()
        try:
            self._requests.write(len(source).to_bytes(LENGTH_BYTES))
            self._requests.write(source)
            self._requests.flush()
            pdf = _frame(self._answers)
            reason = "" if pdf else _frame(self._answers).decode(errors="replace")
        except (OSError, EOFError):
            self.kill()
            return b"", "the renderer was ended: too long, too large"
        finally:
            timer.cancel()
            timer.join()
        self._used = time.monotonic()
        return pdf, reason

    def kill(self) -> None:
        """End it at once, with whatever it is making."""
        if self._owner != os.getpid():
            return
        self._is_ended = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it and wait for its end."""
        if self._owner != os.getpid():
            return
        self.kill()
        for pipe in (self._requests, self._answers):
            with suppress(OSError):  # what was left unsent has nobody to read it
                pipe.close()
        self._process.wait()


def _frame(stream: IO[bytes]) -> bytes:
    size = int.from_bytes(_exactly(stream, LENGTH_BYTES))
    return _exactly(stream, size)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


class Renderers:
    """The renderers that one process of the portal keeps warm."""

    def __init__(self) -> None:
        self._idle: deque[Renderer] = deque()

    def render(self, source: bytes, timeout_seconds: float) -> tuple[bytes, str]:
        """Return the PDF, or nothing and the reason; an idle renderer does it, or a new one."""
        renderer = self._take()
        pdf, reason = renderer.render(source, timeout_seconds)
        if renderer.is_usable and len(self._idle) < KEPT:
            self._idle.append(renderer)
        else:
            renderer.close()
        return pdf, reason

    def _take(self) -> Renderer:
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                renderer = self._idle.pop()
                if renderer.is_usable:
                    return renderer
                renderer.close()
        return Renderer()

    def close(self) -> None:
        """End every idle renderer."""
        while self._idle:
            self._idle.pop().close()


_renderers: Final = Renderers()
atexit.register(_renderers.close)


def render_pdf(html: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> bytes:
    """Return ``html`` as a PDF.

    The style sheet of documents is there already; fonts and pictures come from `asset:` (files
    below `static/`) or `data:` alone.

    Raises:
        DocumentError: It took too long, needed too much memory, or could not be laid out.
    """
    source = html.encode()
    if len(source) > MOST_HTML:
        raise DocumentError
    try:
        pdf, reason = _renderers.render(source, timeout_seconds)
    except OSError as error:
        _log.warning("document not rendered", reason=f"no renderer: {error}")
        raise DocumentError from error
    if not pdf.startswith(b"%PDF"):
        _log.warning("document not rendered", reason=reason)
        raise DocumentError
    return pdf
