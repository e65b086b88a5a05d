"""What a page offers to fill in, read from the page itself: forms, and arguments of its links."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

_NOT_TYPED = frozenset({"submit", "button", "reset", "image"})


@dataclass
class FoundForm:
    """One form: where it goes and what it would send as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    """Name of a field -> its kind: text, textarea, select, hidden, password, file, checkbox ..."""

    @property
    def shape(self) -> tuple[str, tuple[str, ...]]:
        """What makes two forms the same one, with another object in its address."""
        return self.action, tuple(sorted(self.fields))


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.forms: list[FoundForm] = []
        self.arguments: set[str] = set()
        self.by_id: dict[str, FoundForm] = {}
        self._form: FoundForm | None = None
        self._text: tuple[FoundForm, str] | None = None
        self._select: tuple[FoundForm, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open(given)
        elif tag == "a":
            link = urlsplit(urljoin(self.address, given.get("href", "")))
            if link.path == urlsplit(self.address).path:
                self.arguments.update(name for name, _ in parse_qsl(link.query))
        elif tag in {"input", "textarea", "select", "button"}:
            self._field(tag, given)
        elif tag == "option" and self._select is not None:
            form, name = self._select
            if "selected" in given or name not in form.fields:
                form.fields[name] = given.get("value", "")

    def _open(self, given: dict[str, str]) -> None:
        action = urljoin(self.address, given.get("action") or self.address)
        self._form = FoundForm(action, given.get("method", "get").lower())
        self.forms.append(self._form)
        if "id" in given:
            self.by_id[given["id"]] = self._form

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form = self.by_id.get(given["form"]) if "form" in given else self._form
        name = given.get("name", "")
        if form is None or not name:
            return
        kind = given.get("type", "text") if tag == "input" else tag
        form.kinds[name] = kind
        if tag == "textarea":
            self._text = (form, name)
            form.fields[name] = ""
        elif tag == "select":
            self._select = (form, name)
        elif kind in {"checkbox", "radio"}:
            if "checked" in given or name not in form.fields:
                form.fields[name] = given.get("value", "on")
        elif kind not in _NOT_TYPED and kind != "button":
            form.fields[name] = given.get("value", "")
        else:
            form.fields.setdefault(name, given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            form, name = self._text
            form.fields[name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._text = None
        elif tag == "select":
            self._select = None


@dataclass(frozen=True)
class Offered:
    """Everything that a page offers to fill in."""

    forms: list[FoundForm]
    arguments: set[str]


def offered_by(address: str, page: str) -> Offered:
    """Return the forms of a page, and the arguments by which it can be asked differently."""
    reader = _Reader(address)
    reader.feed(page)
    asked = {
        name
        for form in reader.forms
        if form.method == "get" and urlsplit(form.action).path == urlsplit(address).path
        for name in form.fields
    }
    return Offered(reader.forms, reader.arguments | asked)
