"""`portal price` and `portal prices`: asking, publishing and going back, on the command line."""

import getpass
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import IO, Any

import click
from flask import current_app

from portal.accounts.queries import load_operator
from portal.catalog.pricing.actions import (
    Publication,
    describe_entry,
    publish_list,
    rollback_list,
)
from portal.catalog.pricing.asking import (
    BadLineError,
    Line,
    answer_lines,
    read_instant,
    read_line,
)
from portal.catalog.pricing.impact import Breach
from portal.catalog.pricing.lookups import plain, supplier_zone
from portal.catalog.pricing.rules import Entry
from portal.config import Settings
from portal.policy import Actor

BATCH = 20_000


@click.command("price")
@click.argument("account", required=False)
@click.argument("sku", required=False)
@click.option("--quantity", help="Default 1.")
@click.option("--uom", help="Unit of measure; default the product's own.")
@click.option("--unit", help="The buyer's unit; default none, the account itself.")
@click.option("--at", help="Date or instant; default now.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--batch", type=click.File("rb"), help="File of JSON lines.")
def price(  # noqa: PLR0913 - one parameter for each option
    account: str | None,
    sku: str | None,
    quantity: str | None,
    uom: str | None,
    unit: str | None,
    at: str | None,
    *,
    as_json: bool,
    batch: IO[bytes] | None,
) -> None:
    """Resolve one price with its trace, or a file of questions with --batch."""
    now = datetime.now(UTC)
    if batch is not None:
        if account or sku:
            message = "With --batch, ACCOUNT and SKU stand in the file."
            raise click.UsageError(message)
        for lines in _pages(batch):
            _answer_batch(lines, now)
        return
    if not account or not sku:
        message = "ACCOUNT and SKU are needed."
        raise click.UsageError(message)
    asked = {"account": account, "sku": sku, "unit": unit, "uom": uom, "at": at}
    line = read_line({**asked, "quantity": quantity}, now=now, zone=supplier_zone())
    answer = answer_lines([line])[0]
    if "error" in answer:
        raise BadLineError(reason=answer["error"])
    click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _as_text(answer))


def _pages(batch: IO[bytes]) -> Iterator[list[bytes]]:
    """Cut a file into pages, so that one of any length fits into memory."""
    page: list[bytes] = []
    for text in batch:
        if text.strip():
            page.append(text)
        if len(page) == BATCH:
            yield page
            page = []
    if page:
        yield page


def _answer_batch(texts: list[bytes], now: datetime) -> None:
    zone = supplier_zone()
    lines: list[Line | BadLineError] = []
    for text in texts:
        try:
            lines.append(read_line(_parse(text), now=now, zone=zone))
        except BadLineError as error:
            lines.append(error)
    for answer in answer_lines(lines):
        click.echo(json.dumps(answer, ensure_ascii=False))


def _parse(text: bytes) -> object:
    try:
        return json.loads(text.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError):
        raise BadLineError(reason="not a JSON object") from None


def _as_text(answer: dict[str, Any]) -> str:
    asked = f"{answer['sku']} {answer['quantity']} {answer['uom']} at {answer['at']}"
    said = "no price found: price on request"
    if answer["found"]:
        total = f"{answer['unit_price']} each, {answer['line_total']} {answer['currency']}"
        said = f"{total} by {answer['list_code']} version {answer['list_version']}"
    steps = [
        f"  {step['outcome']:8} {step['list_code']} ({step['level']}): {step['reason']}"
        for step in answer["trace"]
    ]
    return "\n".join([f"{asked}: {said}", *steps])


@click.group("prices")
def prices() -> None:
    """Publish price lists and return to earlier versions."""


@prices.command("publish")
@click.argument("code", metavar="LIST")
@click.option("--at", help="Date or instant from which it is in force; default now.")
@click.option("--dry-run", is_flag=True, help="Print the diff and the impact, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def publish(code: str, at: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Publish the draft of LIST."""
    start = None if at is None else read_instant(at, supplier_zone())
    publication = publish_list(_operator(), code, at=start, now=datetime.now(UTC), dry_run=dry_run)
    _print(publication, as_json=as_json)


@prices.command("rollback")
@click.argument("code", metavar="LIST")
@click.option("--to", type=int, required=True, help="Number of the version to return to.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rollback(code: str, *, to: int, as_json: bool) -> None:
    """Return to an earlier version of LIST, as a new one in force at once."""
    publication = rollback_list(_operator(), code, to=to, now=datetime.now(UTC))
    _print(publication, as_json=as_json)


def _operator() -> Actor:
    settings: Settings = current_app.config["SETTINGS"]
    return load_operator(getpass.getuser(), settings.time_zone)


def _print(publication: Publication, *, as_json: bool) -> None:
    facts = publication_json(publication)
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    verb = "would be published" if publication.is_dry_run else "is published"
    click.echo(
        f"{facts['list_code']} version {facts['version']} {verb},"
        f" in force from {facts['in_force_from']}"
    )
    diff = facts["diff"]
    for name in ("removed", "changed", "new"):
        click.echo(f"{name}: {len(diff[name])}")
        for item in diff[name] if publication.is_dry_run else ():
            click.echo(f"  {name} {_line(item)}")
    click.echo(f"unchanged: {diff['unchanged']}")
    _print_impact(facts["impact"])


def _print_impact(impact: dict[str, Any]) -> None:
    click.echo(f"accounts: {', '.join(impact['accounts']) or 'none'}")
    click.echo(f"open quotes: {impact['open_quotes']}")
    for mover in impact["biggest_movers"]:
        click.echo(f"  moves {mover['percent']} %: {_line(mover)}")
    for name, label in (("above_list", "above the list price"), ("below_floor", "below the floor")):
        for breach in impact[name]:
            gives = f"gives {breach['product_sku']} {breach['unit_price']}"
            click.echo(f"  {label} {breach['bound']}: {_line(breach)} {gives}")


def _line(item: dict[str, Any]) -> str:
    if "from" in item:
        return f"{item['entry']} {item['from']} -> {item['to']}"
    return f"{item['entry']} {item['kind']} {item['value']}"


def publication_json(publication: Publication) -> dict[str, Any]:
    """Return a publication for other programs: the diff, and the impact."""
    diff, impact = publication.diff, publication.impact
    changed = [
        {
            **_entry_json(change.after),
            "from": _said(change.before),
            "to": _said(change.after),
        }
        for change in diff.changed
    ]
    return {
        "list_code": publication.price_list.code,
        "version": publication.number,
        "in_force_from": _instant(publication.in_force_from),
        "dry_run": publication.is_dry_run,
        "best_price": publication.best_price,
        "unit_price_decimals": publication.unit_price_decimals,
        "diff": {
            "new": [_entry_json(entry) for entry in diff.new],
            "changed": changed,
            "removed": [_entry_json(entry) for entry in diff.removed],
            "unchanged": diff.unchanged,
        },
        "impact": {
            "accounts": list(impact.account_codes),
            "open_quotes": impact.open_quotes,
            "biggest_movers": [
                {
                    **_entry_json(mover.change.after),
                    "from": _said(mover.change.before),
                    "to": _said(mover.change.after),
                    "percent": f"{mover.percent:+.1f}",
                }
                for mover in impact.movers
            ],
            "above_list": [_breach_json(breach) for breach in impact.above_list],
            "below_floor": [_breach_json(breach) for breach in impact.below_floor],
        },
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "entry": describe_entry(entry),
        "sku": entry.sku,
        "category_path": entry.category_path,
        "uom": entry.uom,
        "min_qty": plain(entry.min_quantity),
        "kind": entry.kind.value,
        "value": plain(entry.value),
        "valid_from": _instant(entry.window.start),
        "valid_to": _instant(entry.window.end),
    }


def _breach_json(breach: Breach) -> dict[str, Any]:
    return {
        **_entry_json(breach.entry),
        "product_sku": breach.sku,
        "unit_price": plain(breach.unit_price),
        "bound": plain(breach.bound),
    }


def _said(entry: Entry) -> str:
    end = _instant(entry.window.end)
    return f"{entry.kind.value} {plain(entry.value)}" + (f" until {end}" if end else "")


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
