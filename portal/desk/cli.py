"""`portal import` and `portal export`: files in and out on the command line."""

import getpass
import json
import sys
from pathlib import Path
from typing import Any

import click
from flask import current_app
from rich.console import Console
from rich.table import Table
from rich.text import Text

from portal.accounts.queries import load_operator
from portal.approvals.policy_import import export_policies, import_policy_file
from portal.config import Settings
from portal.desk.kinds import BY_NAME
from portal.files.importing import ImportKind, Mode, run_import
from portal.files.reading import read_table
from portal.files.writing import write_csv
from portal.policy import Actor
from portal.web.clock import now

POLICY = "policy"
NAMES = (*BY_NAME, POLICY)


@click.command("import")
@click.argument("kind", type=click.Choice(NAMES), metavar="KIND")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_command(
    kind: str, file: Path, *, dry_run: bool, mode: str | None, as_json: bool
) -> None:
    """Import a file of KIND, all or nothing."""
    data = file.read_bytes()
    if kind == POLICY:
        policy = import_policy_file(_operator(), data, now(), dry_run=dry_run)
        _print(policy.as_json(), as_json=as_json, is_dry=dry_run)
        return
    chosen = BY_NAME[kind]
    report = run_import(
        chosen,
        read_table(data, file.name),
        actor=_operator(),
        mode=Mode(mode) if mode else chosen.default_mode,
        now=now(),
        zone=_settings().zone,
        dry_run=dry_run,
    )
    _print(report.as_json(), as_json=as_json, is_dry=dry_run)


def _print(report: dict[str, Any], *, as_json: bool, is_dry: bool) -> None:
    refused = report["refused"]
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        _print_table(report, is_dry=is_dry)
    if refused:
        sys.exit(1)


def _print_table(report: dict[str, Any], *, is_dry: bool) -> None:
    refused, warnings = report["refused"], report.get("warnings", [])
    counts = ("removed", "new", "changed", "unchanged")
    words = ", ".join(f"{report[name]} {name}" for name in counts)
    _print_remarks("Reason", refused)
    _print_remarks("Warning", warnings)
    if refused:
        click.echo(f"{words}, {len(refused)} refused. Nothing was written.")
        return
    for item in report["made"]:
        click.echo(f"{item['reference']}: {item['number']}")
    click.echo(f"{words}, 0 refused.{' Nothing was written: dry run.' if is_dry else ''}")


def _print_remarks(title: str, remarks: list[dict[str, Any]]) -> None:
    if not remarks:
        return
    table = Table("Row", "Column", "Value", title)
    for item in remarks:
        table.add_row(*(Text(str(item[name])) for name in ("row", "column", "value", "reason")))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@click.command("export")
@click.argument("kind", type=click.Choice(NAMES), metavar="KIND")
@click.option("--account", help="Only rows of this account.")
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path))
def export_command(kind: str, account: str | None, output: Path | None) -> None:
    """Export KIND in the columns of its import; importing the result changes nothing."""
    if kind == POLICY:
        if account is None:
            message = "A policy belongs to an account: say which with --account CODE."
            raise click.UsageError(message)
        policies = export_policies(_operator(), account, now())
        text = json.dumps(policies[0] if len(policies) == 1 else policies, ensure_ascii=False)
    else:
        text = export_text(BY_NAME[kind], _operator(), account)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8", newline="")


def export_text(kind: ImportKind, actor: Actor, account: str | None) -> str:
    """Return the CSV of a kind: its own columns, then the dynamic ones that are used."""
    rows = [dict(row) for row in kind.export(actor, account)]
    names = [column.name for column in kind.columns]
    extra = sorted({name for row in rows for name in row} - set(names))
    columns = [*names, *extra]
    return write_csv(columns, ([row.get(name) for name in columns] for row in rows))


def _operator() -> Actor:
    return load_operator(getpass.getuser(), _settings().time_zone)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
