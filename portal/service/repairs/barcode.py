"""Numbers as Code 39 bars, which every scanner of a goods-in reads: plain SVG, no library."""

from typing import Final

from markupsafe import Markup

_WIDE: Final = {
    "0": "000110100", "1": "100100001", "2": "001100001", "3": "101100000", "4": "000110001",
    "5": "100110000", "6": "001110000", "7": "000100101", "8": "100100100", "9": "001100100",
    "A": "100001001", "B": "001001001", "C": "101001000", "D": "000011001", "E": "100011000",
    "F": "001011000", "G": "000001101", "H": "100001100", "I": "001001100", "J": "000011100",
    "K": "100000011", "L": "001000011", "M": "101000010", "N": "000010011", "O": "100010010",
    "P": "001010010", "Q": "000000111", "R": "100000110", "S": "001000110", "T": "000010110",
    "U": "110000001", "V": "011000001", "W": "111000000", "X": "010010001", "Y": "110010000",
    "Z": "011010000", "-": "010000101", ".": "110000100", " ": "011000100", "*": "010010100",
}  # fmt: skip
"""Character -> nine elements, bar and gap by turns; 1 is a wide one."""
NARROW: Final = 2
WIDE: Final = 5
HEIGHT: Final = 60


def elements_of(text: str) -> list[tuple[bool, int]]:
    """Return the bars and gaps of a text between its two stops: whether it is a bar, its width.

    Raises:
        KeyError: The text holds what Code 39 can't say.
    """
    found: list[tuple[bool, int]] = []
    for place, char in enumerate(f"*{text.upper()}*"):
        if place:
            found.append((False, NARROW))
        found.extend(
            (index % 2 == 0, WIDE if mark == "1" else NARROW)
            for index, mark in enumerate(_WIDE[char])
        )
    return found


def bars_svg(text: str) -> Markup:
    """Return a text as an SVG of bars, to be printed about 7 cm wide."""
    bars, left = [], 0
    for is_bar, width in elements_of(text):
        if is_bar:
            bars.append(f'<rect x="{left}" y="0" width="{width}" height="{HEIGHT}"/>')
        left += width
    return Markup(  # noqa: S704 - made of numbers alone
        f'<svg xmlns="http://www.w3.org/2000/svg" width="70mm" height="14mm" '
        f'viewBox="0 0 {left} {HEIGHT}" preserveAspectRatio="none">{"".join(bars)}</svg>'
    )
