"""Files under the hash of their content: whole or not there, and nothing left of a failed one."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portal.files.storing import NotStoredError, load, path_of, store, sweep_partial


def test_what_is_stored_is_found_by_its_hash(tmp_path: Path) -> None:
    digest = store(b"a photo", tmp_path)

    assert store(b"a photo", tmp_path) == digest
    assert load(digest, tmp_path) == b"a photo"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [path_of(digest, tmp_path)]


def test_a_full_disk_gets_back_what_it_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)

    with pytest.raises(NotStoredError, match="stored at the moment"):
        store(b"a photo", tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_killed_process_was_writing_is_swept_away_later(tmp_path: Path) -> None:
    digest = store(b"a photo", tmp_path)
    left = path_of(digest, tmp_path).with_name(".partial-left")
    left.write_bytes(b"a ph")
    now = datetime.now(UTC)

    assert sweep_partial(tmp_path, now + timedelta(minutes=59)) == 0
    assert sweep_partial(tmp_path, now + timedelta(minutes=61)) == 1
    assert not left.exists()
    assert load(digest, tmp_path) == b"a photo"
