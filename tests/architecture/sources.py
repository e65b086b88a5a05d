"""The project's own files, for rules that read them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield (path from the top, syntax tree) of every Python file below ``folders``."""
    for folder in folders:
        yield from _parsed(folder)


@cache
def _parsed(folder: str) -> list[tuple[str, ast.Module]]:
    return [
        (str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / folder).rglob("*.py"))
    ]


def templates() -> Iterator[tuple[str, str]]:
    """Yield (name as Jinja knows it, source) of every template."""
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.is_file():
            yield str(path.relative_to(ROOT / "templates")), path.read_text(encoding="utf-8")


def tracked() -> Iterator[tuple[str, str]]:
    """Yield (path, text) of every text file that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file():
            data = path.read_bytes()
            if b"\0" not in data[:8000]:
                yield name, data.decode("utf-8", errors="replace")
