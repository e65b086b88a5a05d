"""Running the portal: web server and worker as processes of one command."""

import os
import subprocess
import sys
import time
from typing import Any, Final

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from portal.app import create_app
from portal.config import Settings

THREADS: Final = 8
GRACE_SECONDS: Final = 20


PAUSE_SECONDS: Final = 5
"""How long a worker is left dead, so that one that can't start takes no machine with it."""
_log = structlog.get_logger(__name__)


class Worker:
    """The worker beside a web server: started with it, again whenever it dies, ended with it."""

    def __init__(self, settings: Settings) -> None:
        # The address is written into mails; without a setting it follows the port of this server.
        self._environ = os.environ | {"PORTAL_BASE_URL": settings.base_url}
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "portal", "worker", "--parent", str(os.getpid())]
        self._started = time.monotonic()
        self._process = subprocess.Popen(command, env=self._environ)  # noqa: S603 - our own program

    def keep(self) -> None:
        """Start it again if it has died; called again and again."""
        is_dead = self._process.poll() is not None
        if is_dead and time.monotonic() - self._started >= PAUSE_SECONDS:
            _log.warning("worker died, starting another", pid=self._process.pid)
            self._start()

    def end(self) -> None:
        """Let it finish what it is doing, and go."""
        self._process.terminate()


class _Arbiter(Arbiter):
    """Gunicorn's master process, which looks after the worker as after its own processes."""

    def __init__(self, server: BaseApplication, worker: Worker | None) -> None:
        self._worker = worker
        super().__init__(server)  # type: ignore[no-untyped-call]  # gunicorn ships no types

    def manage_workers(self) -> None:
        """Start what is missing; called every second."""
        super().manage_workers()  # type: ignore[no-untyped-call]  # as above
        if self._worker is not None:
            self._worker.keep()


class _Server(BaseApplication):
    """Gunicorn with our settings; each of its processes makes its own application."""

    def __init__(self, settings: Settings, options: dict[str, Any], worker: Worker | None) -> None:
        self.settings, self.options, self.worker = settings, options, worker
        super().__init__()  # type: ignore[no-untyped-call]  # gunicorn ships no types

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)  # type: ignore[union-attr]  # set by the base class

    def load(self) -> Any:  # noqa: ANN401 - a WSGI application
        return create_app(self.settings)

    def run(self) -> None:
        _Arbiter(self, self.worker).run()  # type: ignore[no-untyped-call]  # as above


def serve(settings: Settings, *, host: str, port: int, with_worker: bool) -> None:
    """Serve pages until stopped; with a worker beside, both end together."""
    worker = Worker(settings) if with_worker else None
    try:
        _Server(
            settings,
            {
                "bind": f"{host}:{port}",
                # One process suffices for SQLite, which has one writer; PostgreSQL takes more.
                "workers": 1 if settings.is_sqlite else 2,
                "worker_class": "gthread",
                "threads": THREADS,
                "timeout": 60,
                "graceful_timeout": GRACE_SECONDS,
                "forwarded_allow_ips": "127.0.0.1,::1",
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
            },
            worker,
        ).run()
    finally:
        if worker is not None:
            worker.end()
