import io
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pypdf
import pytest

from portal.documents import rendering
from portal.documents.fetching import ASSETS, AssetFetcher, RefusedAddressError, asset_path
from portal.documents.rendering import DocumentError, Renderer, Renderers, render_pdf

HEAD = '<html lang="{lang}"><head><title>T</title></head>'


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


@pytest.fixture
def renderers() -> Iterator[Renderers]:
    """A pool of its own, which starts with nothing warm."""
    pool = Renderers()
    yield pool
    pool.close()


def test_the_renderer_sees_no_setting_of_ours(
    renderers: Renderers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_SECRET_KEY", "canary-secret")
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *command: Any, **options: Any) -> None:  # noqa: ANN401 - as the base
            super().__init__(*command, **options)
            started.append(self)

    monkeypatch.setattr("portal.documents.rendering.subprocess.Popen", Noted)
    pdf, _reason = renderers.render(b"<p>x</p>", 60)

    assert pdf.startswith(b"%PDF")
    environment = Path(f"/proc/{started[0].pid}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"canary-secret" not in environment


def test_a_second_document_finds_the_renderer_warm_and_nothing_of_the_first(
    renderers: Renderers, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[Renderer] = []

    class Noted(Renderer):
        def __init__(self) -> None:
            super().__init__()
            starts.append(self)

    monkeypatch.setattr("portal.documents.rendering.Renderer", Noted)

    texts = [_text(renderers.render(f"<p>page {n}</p>".encode(), 60)[0]) for n in range(3)]

    assert texts == [[f"page {n}\n1 / 1"] for n in range(3)]
    assert len(starts) == 1


def test_a_renderer_that_was_killed_is_replaced(renderers: Renderers) -> None:
    pdf, reason = renderers.render(b"<p>" + b"slow " * 200_000, 0.2)
    again, _none = renderers.render(b"<p>x</p>", 60)

    assert pdf == b""
    assert "ended" in reason
    assert again.startswith(b"%PDF")


def test_a_page_that_can_not_be_laid_out_leaves_the_renderer_to_the_next(
    renderers: Renderers,
) -> None:
    pdf, reason = renderers.render(b"\xff\xfe not UTF-8", 60)

    assert pdf == b""
    assert "UnicodeDecodeError" in reason
    assert renderers.render(b"<p>x</p>", 60)[0].startswith(b"%PDF")
