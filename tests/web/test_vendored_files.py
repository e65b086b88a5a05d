"""Front-end files are what they were when they were reviewed."""

from hashlib import sha256
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "portal" / "static" / "vendor"
LOCK = {
    line.partition("  ./")[2]: line.partition("  ./")[0]
    for line in (FOLDER / "LOCK").read_text().splitlines()
}


def test_every_vendored_file_is_locked_and_every_lock_has_its_file() -> None:
    found = {
        path.relative_to(FOLDER).as_posix()
        for path in FOLDER.rglob("*")
        if path.is_file() and path.name != "LOCK"
    }

    assert found == set(LOCK)
    assert len(found) > 5


@pytest.mark.parametrize("name", sorted(LOCK))
def test_a_vendored_file_has_the_hash_of_its_lock(name: str) -> None:
    assert sha256((FOLDER / name).read_bytes()).hexdigest() == LOCK[name]


@pytest.mark.parametrize("folder", sorted({name.split("/")[0] for name in LOCK if "/" in name}))
def test_every_vendored_package_brings_its_licence(folder: str) -> None:
    assert (FOLDER / folder / "LICENSE").stat().st_size > 300
