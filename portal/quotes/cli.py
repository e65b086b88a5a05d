"""`portal route QUOTE_NUMBER`: the approval route of a quote as it would be now.

The command expects what the portal's own command line gives it: an application context and the
right to see every row.
"""

import getpass
import json
from datetime import UTC, datetime

import click
from flask import current_app

from portal.accounts.queries import load_operator
from portal.approvals.actions import preview_route
from portal.approvals.population import load_judges
from portal.approvals.rules import Route
from portal.approvals.words import missing_sentence, reasons_text, route_json, threshold_sentence
from portal.config import Settings
from portal.quotes import queries
from portal.quotes.places import load_places
from portal.quotes.sheet import sheet_of
from portal.quotes.subject import make_subject, submitter_of


@click.command("route")
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def route(number: str, *, as_json: bool) -> None:
    """Print who would have to approve quote NUMBER, and why."""
    settings: Settings = current_app.config["SETTINGS"]
    operator = load_operator(getpass.getuser(), settings.time_zone)
    now = datetime.now(UTC)
    revision = queries.get_revision(operator, number)
    places = load_places(revision.account_id)
    sheet = sheet_of(operator, revision, places, now)
    people = {item.person_id for item in revision.requesters}
    submitter = submitter_of(operator, sheet, people)
    subject = make_subject(sheet, submitter, places.account.time_zone, now)
    found = preview_route(subject, load_judges(revision.account_id, revision.quote.unit_id, now))
    if as_json:
        shape = route_json(found, number=number, revision=revision.number)
        click.echo(json.dumps(shape, ensure_ascii=False))
    else:
        _print(found)


def _print(found: Route) -> None:
    click.echo(f"{found.outcome.value}  {found.total} {found.currency}")
    for step in found.steps:
        people = ", ".join(sorted(member.email for member in step.approvers))
        click.echo(f"level {step.level}: {step.quorum} of {people}")
        click.echo(f"  {reasons_text(step.reasons, found.total, found.currency)}")
    for gap in found.missing:
        click.echo(f"missing: {missing_sentence(gap, found.total, found.currency)}")
    ahead = threshold_sentence(found)
    if ahead:
        click.echo(ahead)
