"""Large files of lists and reports: the worker asks the page for them, with the person's rights."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from portal.accounts.queries import load_actor
from portal.config import Settings
from portal.db import EVERY_ROW, reaching, transaction
from portal.errors import N_, InvalidError, NotFoundError
from portal.files.storing import load, path_of, store, sweep_partial
from portal.jobs import queries
from portal.jobs.actions import GiveUpError, running_job
from portal.jobs.models import JobRequest
from portal.jobs.requests import Result, ask_for, keep_result
from portal.messages.actions import tell
from portal.policy import Actor
from portal.service.cases.actions import FOLDER as ATTACHMENTS
from portal.web.access import safe_next
from portal.web.acting import answer_of

EXPORT: Final = "lists.export"
MOST_ATTEMPTS: Final = 3
FORMATS: Final = frozenset({"csv", "xlsx"})
LONGEST_ADDRESS: Final = 4_000
OK: Final = 200
BROKEN: Final = 500


class NoExportError(InvalidError):
    """The address names no list that can be exported."""

    message = N_("This is not the address of a list that can be exported.")


class FileExpiredError(NotFoundError):
    """The file was kept as long as files of jobs are."""

    message = N_("This file is not kept any more. Start the job again to get a new one.")


def folder() -> Path:
    """Return where the files of jobs are kept."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.exports_dir


def clean_address(text: str) -> str:
    """Return the address of a list or report as a file.

    Raises:
        NoExportError: It leads elsewhere, or to a page that is no file.
    """
    address = safe_next(text)
    if address is None or len(address) > LONGEST_ADDRESS:
        raise NoExportError
    parts = urlsplit(address)
    formats = parse_qs(parts.query).get("format", [])
    if len(formats) != 1 or formats[0] not in FORMATS or parts.path.startswith("/jobs"):
        raise NoExportError
    try:
        current_app.url_map.bind("localhost").match(parts.path, method="GET")
    except HTTPException:
        raise NoExportError from None
    return address


def page_of(address: str) -> str:
    """Return the page of which an address is the file."""
    path, _mark, query = address.partition("?")
    kept = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != "format"]
    return f"{path}?{urlencode(kept)}" if kept else path


def ask_for_export(
    actor: Actor, address: str, *, title: str, now: datetime, key: str = ""
) -> JobRequest:
    """Ask for the file behind an address, written by the worker.

    Raises:
        NoExportError: There is no file behind it.
        TooManyJobsError: Enough of the member's jobs are under way.
    """
    wanted = clean_address(address)
    return ask_for(actor, EXPORT, {}, title=title, address=wanted, now=now, key=key)


def export(_payload: Mapping[str, Any], now: datetime) -> None:
    """Write the file of the job under way, keep it and tell whoever asked for it."""
    with reaching(EVERY_ROW):
        request = queries.get_request(running_job() or 0)
        if request.file_hash is not None:
            return  # done before, but for the last line of the worker
        actor = load_actor(request.membership_id)
        address = request.address
    if actor is None:
        raise GiveUpError(N_("This membership can't act any more."))
    result = file_of(actor, address)
    with reaching(EVERY_ROW), transaction():
        kept = keep_result(result, now)
        _tell(kept, "export_ready", now)


def file_of(actor: Actor, address: str) -> Result:
    """Store the file that ``actor`` gets from ``address`` at this moment.

    Raises:
        GiveUpError: They get none: the page is not open to them, or it is no file.
    """
    response = answer_of(actor, address)
    if response.status_code >= BROKEN:
        message = f"the page answered {response.status_code}"
        raise RuntimeError(message)
    disposition = response.headers.get("Content-Disposition", "")
    if response.status_code != OK or not disposition.startswith("attachment"):
        raise GiveUpError(N_("This list is not open to you any more."))
    content = response.get_data()
    return Result(
        digest=store(content, folder()),
        name=_name_in(disposition),
        media_type=response.content_type,
        size=len(content),
    )


def _name_in(disposition: str) -> str:
    name = disposition.partition("filename=")[2].partition(";")[0].strip(' "')
    return Path(name).name or "export"


def export_failed(job_id: int, now: datetime) -> None:
    """Tell whoever asked for a file that there will be none."""
    _tell(queries.get_request(job_id), "export_failed", now)


def _tell(request: JobRequest, kind: str, now: datetime) -> None:
    tell(
        kind,
        account_id=request.account_id,
        subject={"title": request.title, "file": request.file_name},
        now=now,
        path=f"/jobs/{request.job_id}",
        membership_ids=[request.membership_id],
    )


def read_result(request: JobRequest, now: datetime) -> bytes:
    """Return the file of a job.

    Raises:
        FileExpiredError: There is none, or its time is over.
        FileGoneError: It was removed from the folder.
    """
    if request.file_hash is None or request.expires_at is None or request.expires_at <= now:
        raise FileExpiredError
    return load(request.file_hash, folder())


def sweep(now: datetime) -> int:
    """Forget files whose time is over, and what was never whole; return how many had one."""
    with reaching(EVERY_ROW):
        with transaction():
            expired = queries.find_expired(now)
            digests = {request.file_hash for request in expired if request.file_hash}
            for request in expired:
                request.file_hash = None
        for digest in sorted(digests):
            if not queries.is_file_needed(digest, now):
                path_of(digest, folder()).unlink(missing_ok=True)
    settings: Settings = current_app.config["SETTINGS"]
    for place in (folder(), settings.data_dir / ATTACHMENTS):
        sweep_partial(place, now)
    return len(expired)
