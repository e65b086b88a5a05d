"""The demo's saved views, one of them mailed every Monday, and a large file in the making."""

from datetime import datetime

from portal.demo.cast import Acme, Hanbit
from portal.policy import Actor
from portal.reports.exporting import ask_for_export
from portal.reports.rhythm import Rhythm
from portal.reports.saving import save_view
from portal.reports.scheduling import set_schedule


def tell_reports(now: datetime) -> None:
    """Let a buyer of each customer save views, get one by mail, and ask for a large file."""
    acme, hanbit = Acme(), Hanbit()
    _save(acme.buyer, "Laptops and more, by category", "by=category&period=last-12-months", now)
    _save(hanbit.buyer, "My year", "by=month&period=this-year", now)
    shared = save_view(
        acme.cfo,
        "orders",
        "by=cost-centre&period=last-quarter",
        "Cost centres, last quarter",
        is_shared=True,
        now=now,
    )
    set_schedule(acme.cfo, shared.id, Rhythm.WEEKLY, now)
    set_schedule(acme.buyer, shared.id, Rhythm.MONTHLY, now)
    for actor in (acme.buyer, hanbit.buyer):
        address = "/orders?view=all&format=csv"
        ask_for_export(actor, address, title="Orders (CSV)", now=now)


def _save(actor: Actor, name: str, query: str, now: datetime) -> None:
    save_view(actor, "orders", query, name, is_shared=False, now=now)
