"""The child process: reads HTML from standard input, writes a PDF to standard output."""

import logging
import resource
import sys
from typing import Final

from weasyprint import HTML

from portal.documents.fetching import AssetFetcher

MOST_MEMORY: Final = 2 * 1024**3
MOST_CPU_SECONDS: Final = 60


def limit() -> None:
    """Let the system end this process before it takes the machine with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Render one document."""
    limit()
    logging.disable(logging.CRITICAL)
    page = sys.stdin.buffer.read().decode()
    document = HTML(string=page, base_url="asset:", url_fetcher=AssetFetcher())
    sys.stdout.buffer.write(document.write_pdf(pdf_variant="pdf/ua-1"))


if __name__ == "__main__":
    main()
