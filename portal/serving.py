"""Running the portal: web server and worker as processes of one command."""

import os
import subprocess
import sys
from typing import Any, Final

from gunicorn.app.base import BaseApplication

from portal.app import create_app
from portal.config import Settings

THREADS: Final = 8
GRACE_SECONDS: Final = 20


class _Server(BaseApplication):
    """Gunicorn with our settings; each of its processes makes its own application."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.settings, self.options = settings, options
        super().__init__()  # type: ignore[no-untyped-call]  # gunicorn ships no types

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)  # type: ignore[union-attr]  # set by the base class

    def load(self) -> Any:  # noqa: ANN401 - a WSGI application
        return create_app(self.settings)


def serve(settings: Settings, *, host: str, port: int, with_worker: bool) -> None:
    """Serve pages until stopped; with a worker beside, both end together."""
    worker = _start_worker(settings) if with_worker else None
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
        ).run()  # type: ignore[no-untyped-call]  # gunicorn ships no types
    finally:
        if worker is not None:
            worker.terminate()


def _start_worker(settings: Settings) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "portal", "worker", "--parent", str(os.getpid())]
    # The address is written into mails; without a setting it follows the port of this server.
    environ = os.environ | {"PORTAL_BASE_URL": settings.base_url}
    return subprocess.Popen(command, env=environ)  # noqa: S603 - our own program
