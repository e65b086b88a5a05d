"""People at work while the portal dies under them: they send a form until they know it is done.

An answer that is lost says nothing about what was done, so the same form, with the same key, is
sent again. What was acknowledged is noted; the proofs compare it with the rows.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

from tests.proofs.faults.nursery import LOST, PATIENCE_SECONDS, Nursery, post
from tests.proofs.faults.town import Town

SEE_OTHER: Final = 303
BROKEN: Final = 500
REPEATED: Final = 0.25
"""How many of the acknowledged forms are sent once more, as by a second press."""


@dataclass
class Book:
    """What one client was told."""

    done: dict[str, str] = field(default_factory=dict)
    """What was acknowledged -> the address that the answer led to."""
    counted: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    """Answers that nobody should get, whatever dies."""


class Client(threading.Thread, ABC):
    """Somebody who works until told to stop, and then ends what they have begun."""

    def __init__(self, town: Town, nursery: Nursery, name: str, seed: int) -> None:
        super().__init__(name=name, daemon=True)
        self.town, self.nursery = town, nursery
        self.book, self.random = Book(), Random(seed)  # noqa: S311 - chance, not a secret
        self.stopping, self.abandoned = threading.Event(), threading.Event()

    def send(self, path: str, form: dict[str, str], who: str = "buyer") -> str:
        """Send a form until it is acknowledged; return the address that the answer leads to."""
        while (leads_to := self._delivered(path, form, who)) is None:
            time.sleep(0.02)
        return leads_to

    def _delivered(self, path: str, form: dict[str, str], who: str) -> str | None:
        if self.abandoned.is_set():
            raise SystemExit
        self.book.counted["deliveries"] += 1
        try:
            status, leads_to = post(
                self.nursery.port, path, urlencode(form), self.town.cookies[who]
            )
        except LOST:
            self.book.counted["answers lost"] += 1
            return None
        if status == SEE_OTHER:
            return leads_to
        if status < BROKEN:
            self.book.strange.append(f"{status} to {path} {form}")
            self.stopping.set()
            return ""
        self.book.counted["broken off"] += 1
        return None

    def sent(self, path: str, form: dict[str, str], who: str = "buyer") -> str:
        """Send a form, sometimes twice; the second answer is the first one."""
        leads_to = self.send(path, form, who)
        if self.random.random() < REPEATED:
            self.book.counted["repeated"] += 1
            again = self.send(path, form, who)
            if again != leads_to:
                self.book.strange.append(f"{path} led to {leads_to}, then to {again}")
        return leads_to

    def run(self) -> None:
        """Do one thing after the other."""
        number = 0
        while not self.stopping.is_set():
            number += 1
            self.work(number)

    @abstractmethod
    def work(self, number: int) -> None:
        """Do one thing from its beginning to its end."""


class Orderer(Client):
    """Orders one piece at a time of one quote, each by a form with a key of its own."""

    def __init__(
        self,
        town: Town,
        nursery: Nursery,
        name: str,
        seed: int,
        quote: str,
        *,
        keeps_key: bool = True,
    ) -> None:
        super().__init__(town, nursery, name, seed)
        self.quote, self.keeps_key = quote, keeps_key

    def work(self, number: int) -> None:
        """Place one order."""
        reference = f"{self.name}-{number}"
        form = {"quantity-1": "1", "purchase_order_number": reference, "key": reference}
        path = f"/quotes/{self.quote}/convert"
        if self.keeps_key:
            self.book.done[reference] = self.sent(path, form)
            return
        form["accept_duplicate"] = "1"  # else the doubled purchase order number stops it
        while (leads_to := self._delivered(path, form, "buyer")) is None:
            form["key"] += "x"
        self.book.done[reference] = leads_to


class Requester(Client):
    """Submits a quote, has it approved and revises it, again and again."""

    def __init__(self, town: Town, nursery: Nursery, name: str, seed: int, quote: str) -> None:
        super().__init__(town, nursery, name, seed)
        self.quote = quote

    def work(self, number: int) -> None:
        """Take the quote once around."""
        [(key, version)] = self.town.rows(
            "select id, version from quote where number = :number", number=self.quote
        )
        self.sent(f"/quotes/{self.quote}/submit", {"version": str(version)})
        self.book.done[f"submitted {number}"] = self.quote
        [(run_id, content, step_id)] = self.town.rows(
            "select run.id, run.content_hash, step.id from approval_run run"
            " join quote_revision on quote_revision.id = run.subject_id and run.kind = 'quote'"
            " join quote on quote.id = quote_revision.quote_id"
            " and quote.revision = quote_revision.number"
            " join approval_step step on step.run_id = run.id where quote.id = :key",
            key=key,
        )
        answer = {"content_hash": content, "step": str(step_id), "comment": ""}
        self.sent(f"/approvals/{run_id}/approve", answer, "approver")
        self.book.done[f"approved {number}"] = self.quote
        revision = self.town.rows("select revision from quote where id = :key", key=key)[0][0]
        self.sent(f"/quotes/{self.quote}/revise", {"revision": str(revision)})
        self.book.done[f"revised {number}"] = self.quote


class AtWork:
    """Clients that work while a block runs; at its end each finishes what it has begun."""

    def __init__(self, *clients: Client) -> None:
        self.clients = clients

    def __enter__(self) -> Self:
        for client in self.clients:
            client.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self.clients:
            client.stopping.set()
            if kind is not None:
                client.abandoned.set()
        for client in self.clients:
            client.join(60)
        if kind is None:
            assert not any(client.is_alive() for client in self.clients)

    @property
    def acknowledged(self) -> int:
        """How many things were done so far."""
        return sum(len(client.book.done) for client in self.clients)

    def wait_for(self, acknowledged: int) -> float:
        """Wait until so much is done; return how many seconds it took."""
        since = time.monotonic()
        while self.acknowledged < acknowledged:
            assert time.monotonic() - since < PATIENCE_SECONDS, "work does not go on"
            time.sleep(0.01)
        return time.monotonic() - since

    @property
    def strange(self) -> list[str]:
        """Every answer that nobody should get."""
        return [text for client in self.clients for text in client.book.strange]

    def counts(self) -> dict[str, int]:
        """Return what happened, for the proof's last line."""
        total: Counter[str] = Counter()
        for client in self.clients:
            total += client.book.counted
        return {"acknowledged": self.acknowledged, **total}
