"""The style sheet: two themes, one source of truth, readable colours, nothing from elsewhere."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[2] / "portal" / "static" / "portal.css").read_text()
DARK = re.search(r"\n\[data-bs-theme=dark\] \{\n(.*?)\n\}", CSS, re.DOTALL)
AUTO = re.search(
    r"prefers-color-scheme: dark\) \{\n\[data-bs-theme=auto\] \{\n(.*?)\n\}\n\}", CSS, re.DOTALL
)
LIGHT = re.search(r"\n:root, \[data-bs-theme=light\].*? \{\n(.*?)\n\}", CSS, re.DOTALL)


def variables(block: re.Match[str] | None) -> dict[str, str]:
    assert block is not None
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block.group(1)))


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_automatic_theme_is_the_dark_one_word_for_word() -> None:
    assert DARK is not None
    assert AUTO is not None
    assert AUTO.group(1).split() == DARK.group(1).split()


def test_both_themes_set_the_same_variables() -> None:
    assert set(variables(LIGHT)) == set(variables(DARK))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("surface", ["--bs-body-bg", "--bs-tertiary-bg"])
@pytest.mark.parametrize(
    "text",
    [
        "--bs-body-color",
        "--bs-secondary-color",
        "--bs-link-color",
        "--p-primary",
        "--p-ok",
        "--p-warn",
        "--p-bad",
    ],
)
def test_text_is_readable_on_its_surface(theme: str, surface: str, text: str) -> None:
    colours = variables(LIGHT if theme == "light" else DARK)

    assert contrast(colours[text], colours[surface]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_stand_out_from_the_page(theme: str) -> None:
    colours = variables(LIGHT if theme == "light" else DARK)

    assert contrast(colours["--p-control-border"], colours["--bs-body-bg"]) >= 3
    assert contrast(colours["--p-on-primary"], colours["--p-primary"]) >= 4.5


def test_the_style_sheet_loads_nothing_from_other_hosts() -> None:
    loaded = re.findall(r"url\(\"([^\"]+)\"\)", CSS)

    assert loaded
    assert all(address.startswith(("vendor/", "data:image/svg+xml,")) for address in loaded)
