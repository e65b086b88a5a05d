"""kill -9 of what makes a PDF: a document is whole or refused, and the next one is made."""

import io
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pypdf
import pytest

from portal.documents.rendering import Renderer, Renderers
from tests.proofs.faults.sizes import KILLS, SEED

pytestmark = pytest.mark.proof

SIGKILL = 9
ROUNDS = max(KILLS // 5, 4)
"""Each starts a renderer anew, which takes as long as a dozen documents."""


def page(number: int) -> bytes:
    """Return a document long enough to be hit while it is laid out."""
    rows = "".join(f"<tr><td>{line}</td><td>of {number}</td></tr>" for line in range(60))
    return f"<table>{rows}</table><p>end of {number}</p>".encode()


def is_whole(pdf: bytes, number: int) -> bool:
    """Whether a PDF can be read to its last line, and is this one."""
    text = pypdf.PdfReader(io.BytesIO(pdf)).pages[-1].extract_text()
    return f"end of {number}" in text


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of the renderers that were started."""
    pids: list[int] = []

    class Noted(Renderer):
        def __init__(self) -> None:
            super().__init__()
            pids.append(self._process.pid)

    monkeypatch.setattr("portal.documents.rendering.Renderer", Noted)
    return pids


@pytest.fixture
def renderers(started: list[int]) -> Iterator[Renderers]:
    pool = Renderers()
    yield pool
    pool.close()
    assert [pid for pid in started if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def child_of(pid: int) -> int:
    """Return the process that lays out a document, as soon as there is one."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := children.read_text().split():
            return int(found[0])
    raise AssertionError("nothing was ever laid out")


def itself(pid: int) -> int:
    child_of(pid)  # so that a document is under way
    return pid


VICTIMS: tuple[tuple[str, Callable[[int], int]], ...] = (
    ("the child at work", child_of),
    ("the renderer that waits for it", itself),
)
"""A child whose renderer is gone may still hand its document over."""


@pytest.mark.proof(minutes=0.5)
def test_a_document_is_whole_or_refused_and_the_next_one_is_made(
    renderers: Renderers, started: list[int]
) -> None:
    chance, ended = Random(SEED), Counter[str]()  # noqa: S311 - chance, not a secret
    with ThreadPoolExecutor(1) as other:
        for number in range(ROUNDS):
            before, _none = renderers.render(page(number), 60)
            assert is_whole(before, number)

            name, victim = VICTIMS[number % 2]
            asked = other.submit(renderers.render, page(-number), 60)
            pid = victim(started[-1])
            time.sleep(chance.uniform(0, 0.15))
            os.kill(pid, SIGKILL)

            pdf, reason = asked.result(60)
            assert is_whole(pdf, -number) if pdf else reason
            ended[f"{name}: {'whole' if pdf else 'refused'}"] += 1
    print(f"killed while a PDF was made: {dict(ended)}; {len(started)} renderers")  # noqa: T201
    assert ended["the child at work: refused"] > 0
    assert len(started) >= ROUNDS  # no renderer is used again after that
