"""Build the world, measure, print the table and write it down: ``make bench``."""

import json
import platform
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from bench.databases import Kind, folder_of, opened
from bench.measuring import Result
from bench.sizes import Size
from bench.stage import Stage, prepare
from bench.tables import as_line, as_markdown
from bench.works import WORKS
from bench.world import build
from portal.app import create_app
from portal.db import db


@click.command()
@click.option("--scale", default=0.01, show_default=True, help="Part of the release's size.")
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--database", default="both", type=click.Choice(["sqlite", "postgresql", "both"]))
@click.option("--only", default="", help=f"One or more of: {', '.join(WORKS)}.")
@click.option("--world", type=click.Path(file_okay=False, path_type=Path), help="Keep it there.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON there.")
def main(
    scale: float, data: Path | None, database: str, only: str, world: Path | None, out: Path | None
) -> None:
    """Measure the portal in a world of a chosen size."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the database is stopped on the way
    size = Size.of(scale)
    chosen = [name.strip() for name in only.split(",") if name.strip()] or list(WORKS)
    unknown = [name for name in chosen if name not in WORKS]
    if unknown:
        message = f"{', '.join(unknown)}: not one of {', '.join(WORKS)}"
        raise click.BadParameter(message)
    click.echo(f"scale {scale}: {size}", err=True)
    kinds = list(Kind) if database == "both" else [Kind(database)]
    with folder_of(world) as folder:
        tables = {kind: _measure(kind, folder / kind, size, data, chosen) for kind in kinds}
    for kind, results in tables.items():
        click.echo(f"\n{kind}, scale {scale}\n\n{as_markdown(results)}")
    if out is not None:
        out.write_text(json.dumps(_record(scale, tables), indent=2) + "\n")


def _measure(
    kind: Kind, folder: Path, size: Size, data: Path | None, chosen: list[str]
) -> list[Result]:
    """Build or find the world on one database and do the chosen works."""
    with opened(kind, folder) as database:
        app = create_app(database.settings)
        build(app, database, size, data, lambda text: click.echo(f"  {kind}: {text}", err=True))
        prepare(app)
        stage = Stage(app, database, size)
        try:
            for name in chosen:
                click.echo(f"  {kind}: measuring {name}", err=True)
                known = len(stage.results)
                WORKS[name](stage)
                for result in stage.results[known:]:  # an ended run has said what it knew
                    click.echo(f"    {as_line(result)}", err=True)
        finally:
            with app.app_context():
                db.engine.dispose()
    return stage.results


def _record(scale: float, tables: dict[Kind, list[Result]]) -> dict[str, object]:
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "scale": scale,
        "python": platform.python_version(),
        "results": {
            kind: [asdict(result) | {"ratio": result.ratio} for result in results]
            for kind, results in tables.items()
        },
    }


if __name__ == "__main__":
    main()
