"""Rules for pages: strict, used, and free of inline code."""

import ast
import re
from functools import cache

from tests.architecture.sources import modules, templates

RENDER = {"render_template", "render_block", "render", "get_template", "render_document"}


@cache
def _said_in_code() -> set[str]:
    """Every string in the code; a template is named by one, whole or up to a suffix."""
    return {
        node.value
        for _, tree in modules("portal")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _told_kinds() -> set[str]:
    """The kinds of message that the code tells; each has a template of its name."""
    return {
        f"mail/{word}{suffix}"
        for word in _said_in_code()
        for suffix in (".txt", ".html")
        if re.fullmatch(r"[a-z0-9_-]+", word)
    }


def test_each_template_is_rendered_by_somebody() -> None:
    used = _said_in_code() | _told_kinds()
    quoted = re.compile(r"[\"']([\w/.-]+\.(?:html|txt|xml|css))[\"']")
    for _, source in templates():
        used |= set(quoted.findall(source))
    statuses = {f"errors/{status}.html" for status in range(400, 600)}

    assert sorted({name for name, _ in templates()} - used - statuses) == []


def test_each_rendered_template_exists() -> None:
    existing = {name for name, _ in templates()}
    named = {word for word in _said_in_code() if re.fullmatch(r"[\w-]+(/[\w-]+)*\.html", word)}

    assert sorted(named - existing) == []


def test_pages_hold_nothing_inline_and_trust_no_text() -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=\"|\|\s*safe\b|javascript:", re.IGNORECASE
    )
    found = [
        f"{name}: {match.group(0)}"
        for name, source in templates()
        if name.endswith(".html") and not name.startswith(("mail/", "documents/"))
        for match in inline.finditer(source)
    ]

    assert found == []


def test_mails_and_documents_trust_no_text_either() -> None:
    assert [name for name, source in templates() if re.search(r"\|\s*safe\b", source)] == []


def test_every_mail_has_a_plain_part() -> None:
    mails = {name for name, _ in templates() if name.startswith("mail/")}
    pages = {name for name in mails if name.endswith(".html") and "/_" not in name}

    assert {name for name in pages if name.replace(".html", ".txt") not in mails} - {
        "mail/base.html"
    } == set()
