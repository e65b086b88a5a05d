"""The table as people read it."""

from collections.abc import Sequence
from typing import Final

from bench.measuring import Result

_HEAD: Final = (
    "work", "ms", "floor ms", "times", "statements", "floor's", "peak KiB", "aim", "met",
)  # fmt: skip


def as_markdown(results: Sequence[Result]) -> str:
    """Return the results as a table that is readable as text, too."""
    rows = [_HEAD, *(_cells(result) for result in results)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def as_line(result: Result) -> str:
    """Return one result in short."""
    names = zip(_HEAD, _cells(result), strict=True)
    return ", ".join(cell if name == "work" else f"{name} {cell}" for name, cell in names if cell)


def _cells(result: Result) -> tuple[str, ...]:
    floor, ratio = result.floor, result.ratio
    work = f"{result.work} ({result.value})" if result.value else result.work
    return (
        work,
        f"{result.cost.ms:,.1f}",
        f"{floor.ms:,.1f}" if floor else "",
        f"{ratio:.1f}" if ratio else "",
        str(result.cost.statements or ""),
        str(floor.statements) if floor else "",
        f"{result.cost.kib:,}" if result.cost.kib else "",
        result.aim,
        {True: "yes", False: "no", None: ""}[result.met],
    )
