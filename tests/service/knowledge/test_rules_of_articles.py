"""Which words answer a question, and what is left of Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.catalog.search import document, finds
from portal.service.knowledge.markdown import render_markdown
from portal.service.knowledge.rules import (
    Candidate,
    HalfTextError,
    NoTextError,
    Text,
    check_texts,
    choose_locale,
    excerpt,
    plain,
    questions,
    rank,
)

BATTERY = Candidate("K-1", "Battery of a laptop lasts a short time", "Charge it fully once.")
MONITOR = Candidate("K-2", "The monitor flickers", "Change the cable of the laptop or the monitor.")
SEND = Candidate("K-3", "Send a unit in for repair", "Pack it well. A battery may stay inside.")
CHINESE = Candidate("K-4", "显示器闪烁或黑屏", "请检查线缆。")
ALL = [BATTERY, MONITOR, SEND, CHINESE]


def best(question: str) -> list[str]:
    return [item.number for item in rank(questions(question), ALL, 5)]


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("My laptop's battery is empty after an hour", "K-1"),
        ("batteries", "K-1"),
        ("Two monitors flickering since Monday!", "K-2"),
        ("How do I send my notebook in for a repair?", "K-3"),
        ("显示器闪烁", "K-4"),
        ("黑屏怎么办", "K-4"),
    ],
)
def test_the_article_with_the_rare_words_in_its_title_comes_first(
    question: str, first: str
) -> None:
    assert best(question)[0] == first


@pytest.mark.parametrize(
    "question", ["", "???", "please help me with the", "warranty of a spaceship"]
)
def test_nothing_is_suggested_where_nothing_fits(question: str) -> None:
    assert best(question) == []


def test_the_product_and_what_helped_more_people_decide_between_equals() -> None:
    same = [
        Candidate("K-1", "Battery", "x"),
        Candidate("K-2", "Battery", "x", balance=3),
        Candidate("K-3", "Battery", "x", is_about=True),
    ]

    assert [item.number for item in rank(questions("battery"), same, 5)] == ["K-3", "K-2", "K-1"]
    assert [item.number for item in rank((), same, 5)] == ["K-3"]


@given(st.text(max_size=80), st.integers(0, 5))
def test_ranking_takes_any_question_and_never_more_than_asked(question: str, limit: int) -> None:
    found = rank(questions(question), ALL, limit)

    assert len(found) <= limit
    assert len({item.number for item in found}) == len(found)


@given(st.text(alphabet=st.characters(codec="ascii", categories=["L"]), min_size=5, max_size=12))
def test_a_word_finds_itself_with_other_endings(word: str) -> None:
    asked = questions(word)

    if asked:
        assert finds(asked, document((f"{word}s",), ()))


@pytest.mark.parametrize(
    ("known", "wanted", "shown"),
    [
        (["en", "ko"], "ko", "ko"),
        (["en", "zh-Hans"], "zh-Hant", "zh-Hans"),
        (["en", "zh-Hans"], "ko", "en"),
        (["ko", "zh-Hans"], "en", "ko"),
        (["en"], "en-GB", "en"),
    ],
)
def test_readers_get_their_language_or_the_nearest(
    known: list[str], wanted: str, shown: str
) -> None:
    assert choose_locale(known, wanted) == shown


def test_an_article_has_title_and_text_in_one_language_at_least() -> None:
    names = {"en": "English", "ko": "한국어"}

    with pytest.raises(NoTextError):
        check_texts({"en": Text(" ", ""), "ko": Text("", "")}, names)
    with pytest.raises(HalfTextError, match="한국어"):
        check_texts({"en": Text("T", "B"), "ko": Text("T", " ")}, names)
    assert check_texts({"en": Text(" T ", "B"), "ko": Text("", "")}, names) == {
        "en": Text("T", "B")
    }


def test_an_excerpt_is_plain_text_cut_between_words() -> None:
    body = "# Heading\n\n* **One** [link](https://x.example)\n* two " + "word " * 60

    assert plain(body).startswith("Heading One link two word")
    short = excerpt(body, 40)
    assert short == "Heading One link two word word word…"
    assert excerpt("短" * 200, 10) == "短" * 10 + "…"


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "![x](https://evil.example/pixel.png)",
        '<a href="https://x" onclick="alert(1)">x</a>',
        "<svg/onload=alert(1)>",
        "<style>*{display:none}</style>",
        '<iframe src="https://evil.example"></iframe>',
        "`<script>`",
        '[x](https://x.example "\\" onmouseover=alert(1) x=\\"")',
        "<https://x.example/\"onmouseover='alert(1)'>",
        "<!-- comment --><form action=/x><input name=a></form>",
    ],
)
def test_markdown_carries_no_script_picture_style_or_form(hostile: str) -> None:
    html = str(render_markdown(f"Before\n\n{hostile}\n\nAfter"))

    for tag in ("script", "img", "svg", "style", "iframe", "form", "input"):
        assert f"<{tag}" not in html.lower()
    for address in _addresses(html):
        assert address.startswith(("http://", "https://", "mailto:"))
    assert all(" on" not in tag.lower() for tag in _tags(html))
    assert "Before" in html
    assert "After" in html


def _tags(html: str) -> list[str]:
    """Return what stands between angle brackets, without quoted values."""
    found = []
    for part in html.split("<")[1:]:
        tag = part.partition(">")[0]
        found.append("".join(tag.split('"')[::2]))
    return found


def _addresses(html: str) -> list[str]:
    return [part.partition('"')[0] for part in html.split('href="')[1:]]


@given(st.text(max_size=200))
def test_whatever_is_typed_becomes_elements_of_the_short_list(body: str) -> None:
    names = {
        tag.strip("/").split()[0].strip("/") for tag in _tags(str(render_markdown(body))) if tag
    }

    assert names <= {
        *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
        *("a", "h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
    }


def test_headings_go_down_one_after_the_other() -> None:
    html = str(render_markdown("### Three\n\n# One\n\n### Below\n\n##### Deep\n\n# Again"))

    assert [tag for tag in _tags(html) if tag.startswith("h")] == ["h2", "h2", "h3", "h4", "h2"]
