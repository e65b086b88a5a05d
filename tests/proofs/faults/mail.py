"""A mail server of the proofs: takes mail, refuses everything, hangs, or drips."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from enum import StrEnum
from typing import Final

_DRIP_SECONDS: Final = 0.1


class Mood(StrEnum):
    """How it meets whoever connects."""

    TAKES = "takes"
    REFUSES = "refuses"
    HANGS = "hangs"
    DRIPS = "drips"


class MailTarget(socketserver.ThreadingTCPServer):
    """Listens on a port of its own and remembers what it took, in order."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"
        self.mood = Mood.TAKES
        self.taken: list[tuple[str, str]] = []
        """Message-ID and receiver of each mail, as often as it came."""
        self.met: Counter[Mood] = Counter()
        self.released = threading.Event()

    @property
    def repeats(self) -> int:
        """How many mails came again."""
        return len(self.taken) - len(set(self.taken))

    def handle_error(self, *_connection: object) -> None:
        """Say nothing of clients that died amid a sentence."""


class _Session(socketserver.StreamRequestHandler):
    server: MailTarget

    def handle(self) -> None:
        target = self.server
        mood = target.mood
        target.met[mood] += 1
        if mood is Mood.TAKES:
            self._take()
        elif mood is Mood.REFUSES:
            self.wfile.write(b"421 closed for today\r\n")
        elif mood is Mood.HANGS:
            target.released.wait(60)
        else:
            self._drip()

    def _drip(self) -> None:
        """Begin a greeting that never ends, each byte well within anybody's timeout."""
        with suppress(OSError):
            self.wfile.write(b"220-")
            while not self.server.released.wait(_DRIP_SECONDS):
                self.wfile.write(b".")

    def _take(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        receiver = ""
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                if not self._read(receiver):
                    return
            elif word == b"RCPT":
                receiver = line.decode().partition("<")[2].partition(">")[0]
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")

    def _read(self, receiver: str) -> bool:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False  # the client died: half a mail is none
            lines.append(line)
        mail = message_from_bytes(b"".join(lines), policy=policy.default)
        self.server.taken.append((str(mail["Message-ID"]), receiver))
        return True


@contextmanager
def mail_target() -> Iterator[MailTarget]:
    """Let a mail server listen while the block runs."""
    with MailTarget() as target:
        thread = threading.Thread(target=target.serve_forever, daemon=True)
        thread.start()
        try:
            yield target
        finally:
            target.released.set()
            target.shutdown()
            thread.join()
