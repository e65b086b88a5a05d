"""Markdown to safe HTML: what editors write becomes elements of a short list, nothing else."""

from collections.abc import Sequence
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

TOP_HEADING: Final = 2
"""The page has its own heading above the text."""

_TAGS: Final = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: Final = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES: Final = {"http", "https", "mailto"}

_parser: Final = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(
    ["table", "strikethrough"]
)
_parser.disable("image")


def render_markdown(body: str) -> Markup:
    """Return Markdown as HTML that can't carry scripts, styles, pictures or foreign elements.

    Headings go down one after the other from the second level on, whatever was typed, so that a
    page can be walked by its headings.
    """
    tokens = _parser.parse(body)
    _order_headings(tokens)
    dirty = _parser.renderer.render(tokens, _parser.options, {})
    clean = nh3.clean(
        dirty,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
        strip_comments=True,
    )
    return Markup(clean)  # noqa: S704 - nh3 has just cleaned it


def _order_headings(tokens: Sequence[Token]) -> None:
    """Let each heading be at most one level below the one before it."""
    typed: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while typed and typed[-1] >= level:
                typed.pop()
            typed.append(level)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(TOP_HEADING + len(typed) - 1, 4)}"
