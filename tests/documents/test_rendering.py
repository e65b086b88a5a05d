import io
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pypdf
import pytest

from portal.documents import rendering
from portal.documents.fetching import ASSETS, AssetFetcher, RefusedAddressError, asset_path
from portal.documents.rendering import DocumentError, render_pdf

STYLE = '<link rel="stylesheet" href="asset:documents/document.css">'
HEAD = f'<html lang="{{lang}}"><head><title>T</title>{STYLE}</head>'


def _text(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_long_documents_carry_number_and_page_on_each_further_page() -> None:
    rows = "".join(f"<tr><td>Line {number}</td><td>1,234.56</td></tr>" for number in range(90))
    body = f'<body><div class="running-number">Q-000042 r2</div><table>{rows}</table></body></html>'

    pages = _text(render_pdf(HEAD.format(lang="en") + body))

    assert len(pages) > 1
    assert "Q-000042 r2" in pages[1]
    assert f"2 / {len(pages)}" in pages[1]
    assert "Line 89" in pages[-1]


@pytest.mark.parametrize(
    ("lang", "word"),
    [("ko", "견적서"), ("zh-Hans", "报价单"), ("zh-Hant", "報價單"), ("en", "Quote")],
)
def test_every_language_has_its_letters(lang: str, word: str) -> None:
    page = f"{HEAD.format(lang=lang)}<body><h1>{word} Q-000042</h1></body></html>"

    assert f"{word} Q-000042" in _text(render_pdf(page))[0]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server on this machine that notes who asks it for something."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


def test_a_document_never_reaches_the_network_or_the_file_system(
    listener: tuple[int, list[str]], tmp_path: Path
) -> None:
    port, asked = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-text")
    page = f"""<html><head><title>T</title>
      <link rel="stylesheet" href="http://127.0.0.1:{port}/style.css">
      <style>body {{ background: url(http://127.0.0.1:{port}/picture.png) }}</style></head>
      <body>Visible<img src="http://127.0.0.1:{port}/img.png" alt="a">
      <img src="file://{secret}" alt="b"><object data="file://{secret}"></object>
      <a rel="attachment" href="file://{secret}">attached</a></body></html>"""

    pdf = render_pdf(page)

    assert "Visible" in _text(pdf)[0]
    assert asked == []
    assert b"canary-text" not in pdf
    assert not pypdf.PdfReader(io.BytesIO(pdf)).attachments


@pytest.mark.parametrize(
    "name",
    ["../config.py", "documents/../../config.py", "%2e%2e/config.py", "/etc/passwd", "none.css"],
)
def test_an_asset_lies_in_the_folder_of_assets_or_nowhere(name: str) -> None:
    with pytest.raises(RefusedAddressError):
        asset_path(name)


def test_assets_and_data_are_the_only_addresses() -> None:
    fetcher = AssetFetcher()

    assert fetcher.fetch("asset:documents/document.css").read().startswith(b"/* Documents")
    assert fetcher.fetch("data:text/plain,hello").read() == b"hello"
    for url in ("http://127.0.0.1/x", f"file://{ASSETS}/portal.css", "ftp://x/y", "asset:"):
        with pytest.raises(ValueError):  # noqa: PT011 - whichever refusal, nothing was loaded
            fetcher.fetch(url)


def test_a_document_that_takes_too_long_is_refused_in_words() -> None:
    with pytest.raises(DocumentError, match="could not be made"):
        render_pdf("<p>x</p>", timeout_seconds=0)


def test_a_document_that_is_too_large_is_never_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MOST_HTML", 10)

    with pytest.raises(DocumentError):
        render_pdf("<p>more than ten bytes</p>")


def test_the_child_process_sees_no_setting_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_SECRET_KEY", "canary-secret")
    seen: dict[str, object] = {}

    def run(_command: object, **options: object) -> object:
        seen.update(options)
        raise subprocess.TimeoutExpired("x", 1)

    monkeypatch.setattr("portal.documents.rendering.subprocess.run", run)
    with pytest.raises(DocumentError):
        render_pdf("<p>x</p>")

    assert "canary-secret" not in str(seen["env"])
