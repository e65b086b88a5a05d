"""Keeping a checked file until it is imported, so that what was checked is what is imported."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select

from portal.db import db, lock, transaction
from portal.errors import N_, ConflictError
from portal.files.models import Upload

KEPT_FOR: Final = timedelta(days=1)


class UploadGoneError(ConflictError):
    """The checked file is not there any more."""

    message = N_("This file was already imported, or checked too long ago. Check it again.")


def keep_upload(
    membership_id: int | None,
    *,
    kind: str,
    mode: str,
    filename: str,
    content: bytes,
    now: datetime,
) -> int:
    """Keep a file for a day and return its id; files that nobody came back for are forgotten.

    Raises:
        UploadGoneError: Nobody is there to come back for it.
    """
    if membership_id is None:
        raise UploadGoneError
    with transaction():
        db.session.execute(delete(Upload).where(Upload.uploaded_at < now - KEPT_FOR))
        upload = Upload(
            membership_id=membership_id,
            kind=kind,
            mode=mode,
            filename=filename[:200],
            content=content,
            uploaded_at=now,
        )
        db.session.add(upload)
        db.session.flush()
    return upload.id


def get_upload(membership_id: int | None, upload_id: int, *, kind: str) -> Upload:
    """Return a kept file of a membership and lock it.

    Raises:
        UploadGoneError: There is none of this kind and membership.
    """
    upload = db.session.scalar(
        lock(
            select(Upload).where(
                Upload.id == upload_id,
                Upload.membership_id == membership_id,
                Upload.kind == kind,
            )
        )
    )
    if upload is None:
        raise UploadGoneError
    return upload
