"""The import of price entries as a process of its own: prints time, statements, peak and floor."""

import os
import sys
from pathlib import Path

from bench.databases import Database, Kind
from bench.sizes import Size
from bench.stage import Stage
from bench.works import import_entries
from portal.app import create_app


def main() -> None:
    """Import as many rows as the command line says into the database of the environment."""
    url, folder = os.environ["PORTAL_DATABASE_URL"], Path(os.environ["PORTAL_DATA_DIR"])
    kind = Kind.SQLITE if url.startswith("sqlite") else Kind.POSTGRESQL
    database = Database(kind, folder, url, os.environ["PORTAL_OWNER_DATABASE_URL"], "")
    stage = Stage(create_app(database.settings), database, Size())
    cost, bare = import_entries(stage, int(sys.argv[1]))
    print(f"{cost.ms:.1f} {cost.statements} {cost.kib} {bare.ms:.1f}")


if __name__ == "__main__":
    main()
