"""Files of people, kept under the hash of their content: written whole, once, never changed."""

import hashlib
import os
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from portal.errors import N_, InvalidError, NotFoundError

_PARTIAL: Final = ".partial-"
_ABANDONED_AFTER: Final = timedelta(hours=1)
_log = structlog.get_logger(__name__)


class NotStoredError(InvalidError):
    """The folder takes nothing: the disk is full, or not there."""

    message = N_("Files can’t be stored at the moment. Try again in a minute, or send it without.")
    field = "files"


class FileGoneError(NotFoundError):
    """The row is there, the file is not: it was removed from the folder."""

    message = N_("This file is not stored any more.")


def store(content: bytes, folder: Path) -> str:
    """Write ``content`` below ``folder`` and return its SHA-256; the same content is one file.

    The file is on the disk before the row that names it is committed. A row that never comes
    leaves a file that nobody can reach.

    Raises:
        NotStoredError: The folder takes nothing.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = path_of(digest, folder)
    if not path.exists():
        try:
            _write(content, path)
        except OSError as error:
            _log.warning("file not stored", folder=str(folder), error=str(error))
            raise NotStoredError from error
    return digest


def _write(content: bytes, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_PARTIAL)
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)  # a full disk gets back what it gave
        raise
    _sync(path.parent)


def load(digest: str, folder: Path) -> bytes:
    """Return a stored file.

    Raises:
        FileGoneError: It is not in the folder.
    """
    try:
        return path_of(digest, folder).read_bytes()
    except FileNotFoundError:
        raise FileGoneError from None


def sweep_partial(folder: Path, now: datetime) -> int:
    """Remove what processes left that were killed while they wrote; return how many files.

    What is younger than an hour may still be written by somebody.
    """
    oldest = (now - _ABANDONED_AFTER).timestamp()
    left = [path for path in folder.glob(f"*/{_PARTIAL}*") if path.stat().st_mtime < oldest]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def path_of(digest: str, folder: Path) -> Path:
    """Return where the file with this hash stands."""
    return folder / digest[:2] / digest


def _sync(folder: Path) -> None:
    """Make the new name itself survive a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
