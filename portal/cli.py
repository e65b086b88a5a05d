"""The command line: one-line errors, exit 2 for bad usage and 1 for a refused action."""

import csv
import sys
from dataclasses import replace

import click
from alembic.util import CommandError
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts.actions import ensure_supplier
from portal.accounts.cli import accounts_cli
from portal.accounts.models import Account
from portal.app import create_app
from portal.catalog.pricing.cli import price, prices
from portal.config import Settings, SettingsError, describe, load_settings, make_demo_secret
from portal.db import EVERY_ROW, db, reaching, set_row_scope
from portal.demo.cast import PASSWORD
from portal.demo.story import DemoSummary, load_demo, summarise
from portal.desk.cli import export_command, import_command
from portal.errors import N_, ConflictError, DomainError
from portal.events.queries import has_hash, head_hashes, verify_chains
from portal.jobs.worker import work
from portal.migrations import running
from portal.policy import matrix_rows
from portal.quotes.cli import route
from portal.serving import serve
from portal.web.clock import now

WITHOUT_APP = {"db", "permissions", "serve", "settings"}


class BrokenChainError(ConflictError):
    """The record does not hold."""

    message = N_("Account {account}: row {row} of the record is broken: {reason}.")


class AnchorGoneError(ConflictError):
    """A head noted earlier is not in the record any more."""

    message = N_("No row of the record has the hash {anchor}.")


@click.group()
@click.pass_context
def cli(context: click.Context) -> None:
    """Run and administer the customer portal."""
    settings = load_settings()
    context.obj = settings
    if context.invoked_subcommand not in WITHOUT_APP:
        app = create_app(settings)
        context.with_resource(app.app_context())
        set_row_scope(EVERY_ROW)


@cli.command("settings")
@click.pass_obj
def show_settings(settings: Settings) -> None:
    """Print all settings with their meaning; secrets are masked."""
    table = Table("Variable", "Value", "Meaning")
    for row in describe(settings):
        table.add_row(*row)
    Console().print(table)


@cli.command("permissions")
@click.option("--matrix", is_flag=True, required=True, help="Print what each role is granted.")
def permissions(*, matrix: bool) -> None:  # noqa: ARG001 - the option names the only output
    """Print the permission table as CSV: role, permission, scope."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("role", "permission", "scope"))
    writer.writerows(matrix_rows())


@cli.group("db")
def database() -> None:
    """Create and migrate the schema."""


@database.command("upgrade")
@click.pass_obj
def upgrade(settings: Settings) -> None:
    """Create or migrate the schema, and the supplier's own account."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    role = "" if settings.is_sqlite else running.role_of(settings.database_url)
    running.upgrade(settings.owner_database_url, app_role=role)
    with create_app(settings).app_context(), reaching(EVERY_ROW):
        ensure_supplier(
            settings.supplier_code,
            settings.supplier_name,
            currency="EUR",
            country="DE",
            time_zone=settings.time_zone,
        )
    click.echo(f"The schema is at {running.newest_revision()}.")


@database.command("downgrade")
@click.argument("target")
@click.pass_obj
def downgrade(settings: Settings, target: str) -> None:
    """Take the schema back to a revision (base: nothing)."""
    try:
        running.downgrade(settings.owner_database_url, target)
    except CommandError as error:
        raise click.UsageError(str(error)) from None


@database.command("revision")
@click.option("--message", required=True)
@click.pass_obj
def revision(settings: Settings, message: str) -> None:
    """Write a migration from the models (for developers)."""
    running.write_revision(settings.owner_database_url, message)


@cli.group("demo")
def demo() -> None:
    """A made-up supplier with two customers."""


@demo.command("load")
@click.option("--if-empty", is_flag=True, help="Do nothing where there are accounts already.")
@click.pass_obj
def load(settings: Settings, *, if_empty: bool) -> None:
    """Load the demo and print its sign-ins; refuses a database that holds accounts."""
    has_customers = db.session.scalar(select(Account.id).where(Account.kind == "customer").limit(1))
    if if_empty and has_customers is not None:
        summary = summarise()
    else:
        summary = load_demo(now())
        make_demo_secret(settings)
    _print_demo(summary, settings)


def _print_demo(summary: DemoSummary, settings: Settings) -> None:
    table = Table("Account", "Unit", "Name", "E-mail", "Roles")
    for person in summary.people:
        table.add_row(
            person.account, person.unit, person.name, person.email, ", ".join(person.roles)
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"{summary.products} products, {summary.prices} prices.")
    console.print(f"Everybody's password: {PASSWORD}")
    console.print(f"Sign in at {settings.base_url}/sign-in")


@cli.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--web", is_flag=True, help="Only the web server.")
@click.pass_obj
def serve_command(settings: Settings, *, host: str, port: int, web: bool) -> None:
    """Run web server and worker on the database of the settings."""
    if settings.demo:
        settings = make_demo_secret(settings)
        if settings.base_url == Settings().base_url:
            settings = replace(settings, base_url=f"http://127.0.0.1:{port}")
    settings.require_secret()
    click.echo(f"The portal answers on http://{host}:{port} (stop with Ctrl-C).")
    serve(settings, host=host, port=port, with_worker=not web)


@cli.command("worker")
@click.option("--parent", type=int, hidden=True, help="End when this process has ended.")
def worker(parent: int | None) -> None:
    """Deliver messages and run jobs until stopped."""
    work(now, parent=parent)


@cli.group("audit")
def audit() -> None:
    """The record of what happened."""


@audit.command("verify")
@click.option("--anchor", help="A last hash noted earlier, which must still be there.")
def verify(anchor: str | None) -> None:
    """Check the chains of events; exit 1 and the first broken row where one fails."""
    codes = dict(db.session.execute(select(Account.id, Account.code)).all())
    for broken in verify_chains():
        raise BrokenChainError(
            account=codes.get(broken.account_id, broken.account_id),
            row=broken.sequence,
            reason=broken.reason,
        )
    if anchor and not has_hash(anchor):
        raise AnchorGoneError(anchor=anchor)
    for account_id, head in head_hashes().items():
        click.echo(f"{codes.get(account_id, account_id)}: {head}")
    click.echo("Every chain holds.")


for command in (import_command, export_command, accounts_cli, price, prices, route):
    cli.add_command(command)


def main() -> None:
    """Run the command line; a refusal is one line, never a traceback."""
    try:
        code = cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(1)
    except click.exceptions.NoArgsIsHelpError as error:
        _fail(f"a command is missing: see {error.ctx.command_path} --help", 2)
    except (click.ClickException, SettingsError) as error:
        text = error.format_message() if isinstance(error, click.ClickException) else str(error)
        _fail(text, 2)
    except DomainError as refusal:
        _fail(str(refusal), 1)
    except SQLAlchemyError as error:
        _fail(f"the database does not answer as it should: {str(error).splitlines()[0]}", 1)
    except (OSError, UnicodeDecodeError) as error:
        _fail(str(error), 2)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(text: str, code: int) -> None:
    click.echo(f"portal: {text}", err=True)
    sys.exit(code)
