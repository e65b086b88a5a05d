"""Requests per second of a real server: two workers, eight clients, bounded in number."""

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.databases import Database, environ_of

CLIENTS: Final = 8
REQUESTS: Final = 240
WARMING: Final = 4
"""Requests of each client before any is counted."""
STARTS_WITHIN: Final = 60
LOOPBACK: Final = "127.0.0.1"
PORTAL: Final = ("-m", "portal", "serve", "--web", "--port")
FLOOR: Final = (
    "-m", "gunicorn", "bench.floors:application()", "--workers", "2", "--worker-class", "gthread",
    "--threads", "8", "--log-level", "warning", "--bind",
)  # fmt: skip


@contextmanager
def serving(database: Database, command: Sequence[str]) -> Iterator[tuple[int, float]]:
    """Run a server and give its port and how many seconds its first answer took."""
    port = _free_port()
    at = str(port) if command is PORTAL else f"{LOOPBACK}:{port}"
    environ = environ_of(database) | {"PYTHONPATH": str(Path.cwd())}
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own
        [sys.executable, *command, at], env=environ, stdout=subprocess.DEVNULL
    )
    try:
        _wait(port)
        yield port, time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port: int = free.getsockname()[1]
        return port


def _wait(port: int) -> None:
    for _ in range(STARTS_WITHIN * 100):
        try:
            connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.01)
        else:
            return
    message = f"no answer within {STARTS_WITHIN} s"
    raise TimeoutError(message)


def per_second(port: int, path: str, cookie: str = "", requests: int = REQUESTS) -> float:
    """Ask for a page by `CLIENTS` clients at once and return how many answers came per second."""
    share = requests // CLIENTS
    with ThreadPoolExecutor(CLIENTS) as pool:
        # Each worker draws its first pages slowly: templates and statements are built.
        list(pool.map(lambda _client: _ask(port, path, cookie, WARMING), range(CLIENTS)))
        began = time.perf_counter()
        list(pool.map(lambda _client: _ask(port, path, cookie, share), range(CLIENTS)))
        return share * CLIENTS / (time.perf_counter() - began)


def _ask(port: int, path: str, cookie: str, times: int) -> None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
    for _ in range(times):
        connection.request("GET", path, headers={"Host": "localhost", "Cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.HTTPStatus.OK:
            message = f"{path} answered {answer.status}"
            raise RuntimeError(message)
    connection.close()
