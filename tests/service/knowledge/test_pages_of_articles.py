"""The pages of the knowledge base, as readers and editors see them."""

import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from io import StringIO

import pytest

from portal.demo.cast import Cast
from portal.service.knowledge.queries import get_article
from tests.service.knowledge.conftest import Write
from tests.stage import Counted, PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
AGENT, BUYER = "service@northwind.example", "buyer@acme.example"
HERE = "ACME - IT"


def test_a_reader_searches_reads_and_says_that_it_helped(
    sign_in: SignIn, write: Write, cast: Cast
) -> None:
    number = write("How to feed a walrus", "# Fish\n\nUse **fresh** fish.")
    client = sign_in(BUYER, membership=HERE)

    listed = client.get("/service/articles?q=walrus").text
    assert f"/service/articles/{number}" in listed
    page = client.get(f"/service/articles/{number}").text
    assert "<h2>Fish</h2>" in page
    assert "<strong>fresh</strong>" in page
    assert "For editors" not in page
    answer = client.post(f"/service/articles/{number}/helped", data={"helped": "1"})
    assert answer.status_code == 303
    assert "You said that it helped." in client.get(answer.location).text
    assert get_article(cast.acme.buyer, number).helped == 1
    wrong = client.post(f"/service/articles/{number}/helped", data={"helped": "maybe"})
    assert wrong.status_code == 422


def test_readers_of_other_languages_are_told_which_language_they_read(
    sign_in: SignIn, write: Write
) -> None:
    number = write("Only English", "Text")
    page = sign_in("buyer@hanbit.example").get(f"/service/articles/{number}").text

    assert '<article class="prose" lang="en">' in page


def test_an_editor_writes_changes_and_publishes_on_the_pages(sign_in: SignIn, cast: Cast) -> None:
    client = sign_in(AGENT)
    form = {
        "title_en": "A new answer",
        "body_en": "Text one",
        "audience": "everybody",
        "skus": "LT-0001, MN-0001",
        "category": "Hardware/Laptops",
    }
    made = client.post("/service/articles/new", data=form)
    assert made.status_code == 303
    number = made.location.rsplit("/", 1)[1]
    assert sign_in(BUYER, membership=HERE).get(made.location).status_code == 404
    assert "Nothing of this article is published yet." in client.get(made.location).text

    client.post(f"/service/articles/{number}/publish")
    article = get_article(cast.acme.buyer, number)
    opened = str(article.version)
    assert [product.sku for product in article.products] == ["LT-0001", "MN-0001"]
    saved = client.post(
        f"/service/articles/{number}/edit",
        data=form | {"body_en": "Text two", "version": opened},
    )
    assert saved.status_code == 303
    assert "Readers do not see this version." in client.get(saved.location).text
    reader = sign_in(BUYER, membership=HERE)
    assert "Text one" in reader.get(f"/service/articles/{number}").text
    assert reader.get(f"/service/articles/{number}?version=2").status_code == 404
    stale = client.post(
        f"/service/articles/{number}/edit",
        data=form | {"body_en": "Text three", "version": opened},
    )
    assert stale.status_code == 422
    assert "nothing is overwritten" in stale.text
    assert "Text three" in stale.text


@pytest.mark.usefixtures("world")
def test_what_is_missing_is_said_and_what_was_typed_stays(
    sign_in: SignIn, business_rows: Rows
) -> None:
    client = sign_in(AGENT)
    before = business_rows()

    answer = client.post(
        "/service/articles/new",
        data={"title_ko": "제목", "audience": "accounts", "skus": "NOPE"},
    )

    assert answer.status_code == 422
    assert "한국어: write both, the title and the text." in answer.text
    assert 'value="제목"' in answer.text
    assert business_rows() == before


def test_customers_open_no_editor(sign_in: SignIn, write: Write) -> None:
    number = write()
    client = sign_in("admin@acme.example")

    for address in ("/service/articles/new", f"/service/articles/{number}/edit"):
        assert client.get(address).status_code == 403
    for move in ("publish", "retire", "restore"):
        assert client.post(f"/service/articles/{number}/{move}").status_code == 403


def test_the_export_has_what_the_list_shows_and_editors_see_what_helped(
    sign_in: SignIn, write: Write
) -> None:
    write("Walrus one")
    write("Walrus two")
    write("Something else")

    answer = sign_in(AGENT).get("/service/articles?q=walrus&format=csv")
    rows = list(csv.DictReader(StringIO(answer.text.lstrip("\ufeff"))))
    assert [row["title"] for row in rows] == ["Walrus two", "Walrus one"]
    assert {row["helped"] for row in rows} == {"0"}
    plain = sign_in(BUYER, membership=HERE).get("/service/articles?q=walrus&format=csv").text
    assert "helped" not in plain


def test_the_list_needs_the_same_statements_for_one_article_and_for_many(
    sign_in: SignIn,
    write: Write,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    write("Walrus")
    client = sign_in(BUYER, membership=HERE)
    client.get("/service/articles?q=walrus")
    with count_statements() as few:
        client.get("/service/articles?q=walrus")
    for place in range(12):
        write(f"Walrus {place}", category_path="Hardware/Laptops", skus=("LT-0001",))
    with count_statements() as many:
        assert "Walrus 11" in client.get("/service/articles?q=walrus").text

    assert many.total <= few.total + 1  # the categories are there at all
