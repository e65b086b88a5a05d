"""The renderer: a process that stays warm and forks one child with limits for each document.

Loading WeasyPrint and the fonts takes a second or two, laying out a page a tenth of one. So the
process loads once; the child that sees a document's content never sees another one's.

Both directions are framed: four bytes big-endian with the length, then the content. A document
that could not be made is answered with its length 0 and a second frame with the reason.
"""

import gc
import logging
import os
import resource
import select
import sys
from typing import BinaryIO, Final

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from portal.documents.fetching import AssetFetcher

STYLES: Final = "asset:documents/document.css"
WARMING: Final = """<html lang="en"><head><title>.</title></head><body>
<div class="running-number">.</div><h1>.</h1><table>
<thead><tr><th scope="col">.</th><th scope="col">.</th></tr></thead>
<tbody><tr><td>.</td><td class="num">1 <div class="small">.</div></td></tr></tbody>
</table></body></html>"""
"""A page with what all documents have, so that each finds it read, compiled and looked up."""

MOST_MEMORY: Final = 2 * 1024**3
MOST_CPU_SECONDS: Final = 60
IDLE_SECONDS: Final = 600
"""After this long without a document the process ends; the next document begins another."""
LENGTH_BYTES: Final = 4


def limit() -> None:
    """Let the system end this process before it takes the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = MOST_CPU_SECONDS + int(used.ru_utime + used.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Press:
    """What every document shares: the style sheet and its fonts, read once."""

    def __init__(self) -> None:
        self._fonts = FontConfiguration()
        self._styles = CSS(url=STYLES, url_fetcher=AssetFetcher(), font_config=self._fonts)

    def render(self, page: str) -> bytes:
        """Return a page as a PDF."""
        document = HTML(string=page, base_url="asset:", url_fetcher=AssetFetcher())
        pdf: bytes = document.write_pdf(
            pdf_variant="pdf/ua-1", stylesheets=[self._styles], font_config=self._fonts
        )
        return pdf


def send(stream: BinaryIO, content: bytes) -> None:
    """Write one frame."""
    stream.write(len(content).to_bytes(LENGTH_BYTES))
    stream.write(content)
    stream.flush()


def _answer(press: Press, source: bytes, answers: BinaryIO) -> None:
    """Render in a child, which writes the answer."""
    child = os.fork()
    if child == 0:
        try:
            limit()
            gc.disable()  # the child ends before there is garbage worth looking for
            pdf = press.render(source.decode())
        except BaseException as error:  # noqa: BLE001 - the caller is told, whatever it was
            pdf, reason = b"", f"{type(error).__name__}: {error}"
        send(answers, pdf)
        if not pdf:
            send(answers, reason.encode()[:300])
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    if status != 0:
        # Ended by a limit, perhaps in the middle of its answer: the pipe can't be trusted any more.
        sys.exit(1)


def main() -> None:
    """Serve documents until nobody asks any more."""
    logging.disable(logging.CRITICAL)
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    press = Press()
    press.render(WARMING)
    while select.select([requests], [], [], IDLE_SECONDS)[0]:
        header = requests.read(LENGTH_BYTES)
        if len(header) < LENGTH_BYTES:
            return
        _answer(press, requests.read(int.from_bytes(header)), answers)


if __name__ == "__main__":
    main()
