"""`portal people ...`: what operators do for people at the command line.

The commands expect what the portal's own command line gives them: an application context and the
right to see every row.
"""

import getpass
import sys
from datetime import UTC, datetime

import click
from flask import current_app

from portal.accounts import actions
from portal.accounts.queries import load_operator
from portal.config import Settings
from portal.policy import Actor


@click.group("people")
def accounts_cli() -> None:
    """Let people in: invitation links and passwords."""


def _operator() -> tuple[Actor, Settings]:
    settings: Settings = current_app.config["SETTINGS"]
    return load_operator(getpass.getuser(), settings.time_zone), settings


@accounts_cli.command("invite")
@click.argument("email")
def invite(email: str) -> None:
    """Print a new invitation link for EMAIL, who was imported or invited before."""
    operator, settings = _operator()
    path = actions.make_invitation_link(operator, email, now=datetime.now(UTC))
    click.echo(settings.base_url.rstrip("/") + path)


@accounts_cli.command("password")
@click.argument("email")
@click.option("--stdin", "from_stdin", is_flag=True, help="Read one line from standard input.")
def password(email: str, *, from_stdin: bool) -> None:
    """Set the password of EMAIL and end all their sessions."""
    operator, _settings = _operator()
    if from_stdin:
        chosen = sys.stdin.readline().rstrip("\r\n")
    else:
        chosen = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    actions.set_password(operator, email, chosen, now=datetime.now(UTC))
    click.echo(f"The password of {email.strip().lower()} is set.")
