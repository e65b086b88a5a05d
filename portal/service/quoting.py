# ruff: noqa: RUF001 - the full-width colon stands where Chinese and Korean mail programs put it
"""What of a mail's text is new: without markup, quotations, signatures and the marks of replies."""

import re
from html.parser import HTMLParser
from typing import Final

MOST_CHARACTERS: Final = 100_000
"""What is longer than any letter is cut before it is looked at closely."""
QUOTED: Final = "-----Original Message-----"
"""What stands above a quotation once its markup is gone."""

_MARKS: Final = re.compile(
    r"^((re|aw|fwd?|wg|sv|antw|回复|回覆|答复|转发|轉寄|회신|전달)\s*[:：]\s*)+", re.IGNORECASE
)
_QUOTES_BELOW: Final = re.compile(
    r"""^(
        -{2,}\s*(original\ message|forwarded\ message|ursprüngliche\ nachricht)\s*-{2,}
      | -{2,}\s*(原始邮件|原始郵件|원본\ 메[시세]지)\s*-{2,}
      | on\ [^\n]{5,120}\n?[^\n]{0,60}\ wrote:
      | am\ [^\n]{5,120}\n?[^\n]{0,60}\ schrieb[^\n]{0,60}:
      | [^\n]{0,200}(写道|寫道|작성|님이\ 씀)\s*[:：]
      | _{20,}
      | (from|von|发件人|寄件者|寄件人|보낸\ 사람)\s*[:：][^\n]{1,200}\n{1,2}
        (sent|date|gesendet|datum|to|an|发送时间|日期|寄件日期|보낸\ 날짜|날짜)\s*[:：][^\n]*
    )\s*$""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_SIGNATURE: Final = re.compile(r"^-- ?$", re.MULTILINE)


def plain_subject(subject: str) -> str:
    """Return the subject on one line without the marks that mail programs put before it."""
    return _MARKS.sub("", " ".join(subject.split()))


def fresh_part(text: str) -> str:
    """Return what the sender wrote anew: without what is quoted below, and without the signature.

    Where nothing stands above the quotation, the answer stands between or below the quoted lines;
    where nothing is left at all, the mail is taken as it is.
    """
    whole = text[:MOST_CHARACTERS].strip()
    found = _QUOTES_BELOW.search(whole)
    above = whole[: found.start()].strip() if found else whole
    if not above and found:
        above = whole[found.end() :]
    lines = [line for line in above.split("\n") if not line.lstrip().startswith(">")]
    unquoted = "\n".join(lines).strip()
    cut = _SIGNATURE.split(unquoted, maxsplit=1)[0].strip()
    return re.sub(r"\n{3,}", "\n\n", cut or unquoted or whole)


class _Words(HTMLParser):
    """Collects what an HTML mail shows."""

    _BREAKS: Final = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote"})
    _HIDDEN: Final = frozenset({"script", "style", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in self._HIDDEN
        if tag in self._BREAKS:
            self.words.append("\n")
        if tag == "blockquote" or ("class", "gmail_quote") in attrs:
            self.words.append(f"\n{QUOTED}\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = max(0, self.hidden - (tag in self._HIDDEN))
        if tag in self._BREAKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(re.sub(r"\s+", " ", data))


def text_of_html(html: str) -> str:
    """Return the words of an HTML mail as plain lines."""
    parser = _Words()
    parser.feed(html[: 10 * MOST_CHARACTERS])
    parser.close()
    lines = (line.strip() for line in "".join(parser.words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
