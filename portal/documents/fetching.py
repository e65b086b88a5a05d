"""The only addresses that a document may load from: `data:` and our own `asset:` files."""

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from weasyprint.urls import URLFetcher, URLFetcherResponse

ASSETS: Final = Path(__file__).resolve().parent.parent / "static"
SCHEME: Final = "asset:"


class RefusedAddressError(ValueError):
    """The document names an address that it must not load."""


class AssetFetcher(URLFetcher):
    """Loads `data:` addresses and files below `static/`; nothing else, no network, no redirects."""

    def __init__(self) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # WeasyPrint has no annotations
            allowed_protocols=("data",), allow_redirects=False
        )

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Return what an allowed address holds.

        Raises:
            RefusedAddressError: Any other address; WeasyPrint then leaves the resource out.
        """
        if url.startswith("data:"):
            data: URLFetcherResponse = super().fetch(url, headers)  # type: ignore[no-untyped-call]
            return data
        if not url.startswith(SCHEME):
            raise RefusedAddressError(url[:80])
        path = asset_path(url.removeprefix(SCHEME))
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": media_type})


def asset_path(name: str) -> Path:
    """Return the file of an asset.

    Raises:
        RefusedAddressError: The name leads out of the folder, or to nothing.
    """
    path = (ASSETS / unquote(name).lstrip("/")).resolve()
    if not path.is_relative_to(ASSETS) or not path.is_file():
        raise RefusedAddressError(name[:80])
    return path
