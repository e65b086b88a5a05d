"""Static files: served by WhiteNoise under an address that changes with their content."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

from portal.web.security import HEADERS

FOLDER: Final = Path(__file__).parent.parent / "static"


@lru_cache(maxsize=1)
def url_path() -> str:
    """Return the address of the folder; it names its content, so that browsers may keep it."""
    digest = sha256()
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(FOLDER).as_posix().encode())
            digest.update(path.read_bytes())
    return f"/static/{digest.hexdigest()[:12]}"


def init_app(app: Flask) -> None:
    """Let WhiteNoise answer for the folder before Flask is asked."""
    prefix = app.static_url_path or url_path()
    kept = prefix == url_path()
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]  # the documented way to wrap an app
        app.wsgi_app,
        root=str(FOLDER),
        prefix=prefix.lstrip("/") + "/",
        max_age=0,
        immutable_file_test=lambda _path, _url: kept,
        add_headers_function=_harden,
        autorefresh=False,
    )


def _harden(headers: Headers, _path: str, _url: str) -> None:
    for name in ("X-Content-Type-Options", "Cross-Origin-Resource-Policy"):
        headers[name] = HEADERS[name]
