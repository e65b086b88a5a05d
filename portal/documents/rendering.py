"""Turning a page into a PDF without trusting the page: a child process with limits does it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import structlog

from portal.errors import N_, ConflictError

TIMEOUT_SECONDS: Final = 90
MOST_HTML: Final = 16 * 1024 * 1024
_PASSED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "FONTCONFIG_PATH")
_HOME_OF_PACKAGE: Final = Path(__file__).resolve().parent.parent.parent
_log = structlog.get_logger(__name__)


class DocumentError(ConflictError):
    """The document could not be made."""

    message = N_("The PDF could not be made. Try again; if it stays so, tell your account manager.")


def render_pdf(html: str, *, timeout_seconds: int = TIMEOUT_SECONDS) -> bytes:
    """Return ``html`` as a PDF.

    Styles, fonts and pictures come from `asset:` (files below `static/`) or `data:` alone.

    Raises:
        DocumentError: It took too long, needed too much memory, or could not be laid out.
    """
    source = html.encode()
    if len(source) > MOST_HTML:
        raise DocumentError
    try:
        done = subprocess.run(
            [sys.executable, "-m", "portal.documents.renderer"],
            input=source,
            capture_output=True,
            timeout=timeout_seconds,
            check=False,
            cwd=_HOME_OF_PACKAGE,  # so that the child finds this package wherever it is installed
            # The child sees no setting of ours: no database address, no secret.
            env={name: os.environ[name] for name in _PASSED if name in os.environ},
        )
    except subprocess.TimeoutExpired as error:
        _log.warning("document not rendered", reason="timeout")
        raise DocumentError from error
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF"):
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        _log.warning("document not rendered", code=done.returncode, reason=reason[:300])
        raise DocumentError
    return done.stdout
