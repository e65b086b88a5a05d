"""The command line: one-line errors, exit 2 for bad usage and 1 for a refused action."""

import sys

import click

from portal.config import SettingsError
from portal.errors import DomainError


@click.group()
def cli() -> None:
    """Run and administer the customer portal."""


def main() -> None:
    """Run the command line; a refusal is one line, never a traceback."""
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(1)
    except click.ClickException as error:
        click.echo(f"portal: {error.format_message()}", err=True)
        sys.exit(2)
    except SettingsError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(2)
    except DomainError as refusal:
        click.echo(f"portal: {refusal}", err=True)
        sys.exit(1)
