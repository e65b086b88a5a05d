"""Work for the worker: mails and files, written as the portal's actions write them."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from portal.db import transaction
from portal.demo.cast import Cast
from portal.messages.actions import tell
from portal.policy import Role
from portal.quotes.actions import create_quote
from portal.reports.exporting import ask_for_export
from tests.messages.subjects import ORDER
from tests.proofs.faults.sizes import KILLS, MAILS
from tests.proofs.faults.town import Town

PATIENCE_SECONDS: Final = 120 + KILLS + MAILS


def write_mails(count: int) -> None:
    """Write messages to a buyer and to the order desk."""
    cast = Cast()
    buyer, account = cast.acme.buyer.membership_id, cast.acme.account_id
    assert buyer is not None
    for _ in range(count):
        with transaction():
            tell(
                "order_confirmed",
                account_id=account,
                subject=ORDER,
                path="/orders/O-000009",
                now=datetime.now(UTC),
                membership_ids=[buyer],
                supplier_roles=[Role.ORDER_DESK],
            )


def ask_for_a_file(name: str) -> None:
    """Ask for a list that says something new, to be written before all mails are sent."""
    buyer, at = Cast().acme.buyer, datetime.now(UTC)
    create_quote(buyer, at, title=name)
    at -= timedelta(hours=1)
    ask_for_export(buyer, "/quotes?format=csv", title=name, now=at, key=name)


def left(town: Town, since: int) -> int:
    """Return how many jobs have not ended."""
    [(count,)] = town.rows(
        "select count(*) from job where state in ('waiting', 'running') and id > :since"
        " and kind in ('messages.deliver', 'lists.export')",
        since=since,
    )
    return int(count)


def last_job(town: Town) -> int:
    return int(town.rows("select coalesce(max(id), 0) from job")[0][0])


def wait_until_ended(town: Town, since: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left(town, since):
        assert time.monotonic() < deadline, "jobs are left"
        time.sleep(0.1)


def sent_ids(town: Town, after: int, until: int = 10**12) -> list[str]:
    """Return the Message-ID of each mail that the rows say was sent, for some messages."""
    return [
        f"<{kind}.{message}.{person}@localhost>"
        for kind, message, person in town.rows(
            "select message.kind, message.id, delivery.person_id from delivery"
            " join message on message.id = delivery.message_id where message.id > :after"
            " and message.id <= :until order by delivery.id",
            after=after,
            until=until,
        )
    ]


def last_message(town: Town) -> int:
    return int(town.rows("select coalesce(max(id), 0) from message")[0][0])


def written_ids(town: Town, since: int) -> list[str]:
    """Return the Message-ID of each mail that jobs were to send, in the order of the jobs."""
    ids: list[str] = []
    for (payload,) in town.rows(
        "select payload from job where id > :since and kind = 'messages.deliver'"
        " order by created_at, id",
        since=since,
    ):
        data = json.loads(payload) if isinstance(payload, str) else payload
        ids += sent_ids(town, data["message_id"] - 1, data["message_id"])
    return ids
