"""The page of people: exact rows, what can't be granted is off and says why, saves that stick."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from portal.accounts.models import Membership, Person
from portal.accounts.queries import load_actor
from portal.db import db
from portal.demo.cast import Cast
from portal.events.queries import find_events
from tests.accounts.files import load
from tests.accounts.keys import key_of, person_of
from tests.stage import PortalClient

Rows = Callable[[], object]
SignIn = Callable[..., PortalClient]
PAGE = "/company/people"


def addresses(page: str) -> list[str]:
    return re.findall(r'muted small-text">([^<]+)<', page)


def form_of(page: str) -> dict[str, Any]:
    """Return what a browser would send of the form as it stands."""
    seen = re.search(r'name="seen"[^>]*value="([^"]+)"', page)
    assert seen is not None
    data: dict[str, Any] = {"seen": seen[1]}
    for name, options in re.findall(
        r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL
    ):
        chosen = re.search(r'<option[^>]*selected[^>]*value="([^"]*)"', options)
        data[name] = chosen[1] if chosen else ""
    boxes = re.findall(r'<input type="checkbox"[^>]*name="roles"\s+value="([^"]+)"([^>]*)>', page)
    data["roles"] = [value for value, rest in boxes if "checked" in rest and "disabled" not in rest]
    return data


def test_an_administrator_sees_everybody_of_the_account_and_nobody_else(
    cast: Cast,
    sign_in: SignIn,
) -> None:
    page = sign_in("admin@acme.example").get(f"{PAGE}?sort=email").text

    expected = db.session.scalars(
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.account_id == cast.acme.account_id)
        .order_by(Person.email)
    ).all()
    assert addresses(page) == expected


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=VOGEL", {"approver@acme.example"}),
        ("q=%25", set()),
        ("role=site-administrator", {"admin@acme.example"}),
        ("unit=LAB", {"li.wei@acme.example"}),
        ("status=suspended", set()),
        ("role=buyer&unit=RND", {"buyer@acme.example", "research.buyer@acme.example"}),
        ("status=nonsense&role=nonsense&unit=LAB&page=-4", {"li.wei@acme.example"}),
    ],
)
def test_filters_narrow_the_list(sign_in: SignIn, query: str, found: set[str]) -> None:
    page = sign_in("admin@acme.example").get(f"{PAGE}?{query}").text

    assert set(addresses(page)) == found
    assert ("matches these filters" in page) is (not found)


def test_a_user_administrator_sees_their_access_group_alone(cast: Cast, sign_in: SignIn) -> None:
    page = sign_in("people@acme.example").get(PAGE).text

    expected = db.session.scalars(
        select(Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.access_group_id == cast.acme.user_admin.access_group_id)
    ).all()
    assert set(addresses(page)) == set(expected)


@pytest.mark.usefixtures("world")
def test_an_account_manager_sees_the_people_of_assigned_accounts(
    sign_in: SignIn,
) -> None:
    client = sign_in("manager@northwind.example")

    assert all(item.endswith("@acme.example") for item in addresses(client.get(PAGE).text))
    assert client.get(f"{PAGE}?account=ACME").status_code == 200
    assert client.get(f"{PAGE}?account=HANBIT").status_code == 404
    assert client.get(f"{PAGE}/invite?account=HANBIT").status_code == 404
    assert client.get(f"{PAGE}/invite").status_code == 403


@pytest.mark.parametrize("who", ["buyer@acme.example", "viewer@acme.example", "cfo@acme.example"])
def test_the_page_is_not_for_everybody(cast: Cast, sign_in: SignIn, who: str) -> None:
    client = sign_in(who)

    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}/{key_of(cast.acme.viewer)}").status_code == 403


def test_another_accounts_member_is_as_missing_as_none(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    foreign = key_of(cast.hanbit.viewer)

    for path in ("", "/suspend", "/activate", "/invite"):
        there, nowhere = (client.post(f"{PAGE}/{key}{path}") for key in (foreign, 999_999))
        assert there.status_code == nowhere.status_code == 404
        assert strip(there.text, foreign) == strip(nowhere.text, 999_999)
    assert client.get(f"{PAGE}/{foreign}").status_code == 404


def strip(page: str, key: int) -> str:
    """Drop what differs on any two pages: address, reference of the problem, token of the form."""
    return re.sub(r"[0-9A-F]{8}|csrf_token[^>]*>", "", page).replace(f"/{key}", "")


def test_saving_rights_as_they_are_changes_nothing(
    cast: Cast,
    sign_in: SignIn,
    business_rows: Rows,
) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.cio)}"
    data = form_of(client.get(url).text) | {"signing_limit": "50000"}
    before = business_rows()

    assert client.post(url, data=data).status_code == 303
    assert business_rows() == before


def test_rights_are_saved_from_the_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    key = key_of(cast.acme.viewer)
    data = form_of(client.get(f"{PAGE}/{key}").text)

    answer = client.post(
        f"{PAGE}/{key}", data=data | {"roles": ["viewer", "buyer"], "signing_limit": "1,250.50"}
    )

    assert answer.status_code == 303
    saved = db.session.get_one(Membership, key)
    assert saved.signing_limit == Decimal("1250.50")
    actor = load_actor(key)
    assert actor is not None
    assert {role.value for role in actor.roles} == {"viewer", "buyer"}


def test_an_older_page_is_refused_and_shows_what_is_there(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.viewer)}"
    first = form_of(client.get(url).text)
    assert client.post(url, data=first | {"signing_limit": "100"}).status_code == 303

    second = client.post(url, data=first | {"signing_limit": "999"})

    assert second.status_code == 409
    assert "Nothing of yours was saved" in second.text
    assert "100.00 EUR" in second.text
    assert 'value="999"' in second.text, "what was typed is kept"
    assert "saved: 100.00 EUR; typed by you: 999.00 EUR" in second.text
    assert db.session.get_one(Membership, key_of(cast.acme.viewer)).signing_limit == 100
    third = client.post(url, data=form_of(second.text) | {"signing_limit": "999"})
    assert third.status_code == 303, "both values were in sight"


def test_a_typing_error_does_not_hide_that_somebody_else_saved(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.viewer)}"
    first = form_of(client.get(url).text)
    assert client.post(url, data=first | {"signing_limit": "100"}).status_code == 303

    wrong = client.post(url, data=first | {"signing_limit": "lots"})
    again = client.post(url, data=form_of(wrong.text) | {"signing_limit": "999"})

    assert (wrong.status_code, again.status_code) == (422, 409)
    assert db.session.get_one(Membership, key_of(cast.acme.viewer)).signing_limit == 100


def test_a_number_that_is_none_is_refused_at_its_field(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.viewer)}"

    answer = client.post(url, data=form_of(client.get(url).text) | {"signing_limit": "-3"})

    assert answer.status_code == 422
    assert "Enter 0 or more" in answer.text


def test_the_own_page_says_why_nothing_can_be_changed(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.admin)}"

    page = client.get(url)

    assert "Nobody changes their own roles" in page.text
    assert 'name="seen"' not in page.text
    assert client.post(f"{url}/suspend").status_code == 403


def test_roles_beyond_the_administrator_are_off_and_stay(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("people@acme.example")
    key = key_of(cast.acme.buyer)
    page = client.get(f"{PAGE}/{key}").text
    assert re.search(r'value="buyer"[^>]*checked[^>]*disabled', page)
    assert "only roles whose rights you hold yourself" in page
    data = form_of(page) | {"signing_limit": "1000"}

    assert client.post(f"{PAGE}/{key}", data=data | {"roles": ["viewer"]}).status_code == 303
    forced = form_of(client.get(f"{PAGE}/{key}").text) | {"signing_limit": "1000"}
    refused = client.post(f"{PAGE}/{key}", data=forced | {"roles": ["site-administrator"]})

    assert refused.status_code == 403
    actor = load_actor(key)
    assert actor is not None
    assert {role.value for role in actor.roles} == {"buyer", "viewer"}


@pytest.mark.usefixtures("world")
def test_inviting_from_the_page(sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    data = {
        "email": "New@acme.example",
        "name": "Nora",
        "roles": ["viewer"],
        "signs_unlimited": "y",
    }

    assert client.get(f"{PAGE}/invite").status_code == 200
    bad = client.post(f"{PAGE}/invite", data=data | {"email": "nonsense"})
    assert bad.status_code == 422
    assert 'value="Nora"' in bad.text
    answer = client.post(f"{PAGE}/invite", data=data)

    assert (answer.status_code, answer.location) == (303, f"{PAGE}?account=ACME")
    assert addresses(client.get(f"{PAGE}?status=invited").text) == ["new@acme.example"]
    again = client.post(f"{PAGE}/invite", data=data)
    assert again.status_code == 409
    assert "already a member" in again.text


def test_suspending_and_activating_from_the_page(cast: Cast, sign_in: SignIn) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.viewer)}"

    assert client.post(f"{url}/suspend").status_code == 303
    assert addresses(client.get(f"{PAGE}?status=suspended").text) == ["viewer@acme.example"]
    assert client.post(f"{url}/suspend").status_code == 409
    assert client.post(f"{url}/activate").status_code == 303
    assert client.post(f"{url}/invite").status_code == 409


def test_a_person_as_a_whole_is_kept_out_and_let_in_from_the_page(
    cast: Cast, sign_in: SignIn
) -> None:
    client, key = sign_in("system@northwind.example"), key_of(cast.acme.viewer)
    url = f"{PAGE}/{key}"
    assert "Keep out of every account" in client.get(url).text

    assert client.post(f"{url}/suspend-person").status_code == 303
    page = client.get(url).text
    assert "sign in to any account until they are activated" in page
    assert "Let into the portal again" in page
    assert load_actor(key) is None
    assert client.post(f"{url}/suspend-person").status_code == 409
    assert client.post(f"{url}/activate-person").status_code == 303
    assert "This person can sign in again." in client.get(url).text
    assert load_actor(key) == cast.acme.viewer
    events = find_events(cast.acme.account_id, [("person", person_of(cast.acme.viewer))])
    assert [event.verb for event in events][-2:] == ["person.suspended", "person.activated"]


def test_only_who_runs_the_portal_is_offered_to_keep_somebody_out(
    cast: Cast, sign_in: SignIn, business_rows: Rows
) -> None:
    client = sign_in("admin@acme.example")
    url = f"{PAGE}/{key_of(cast.acme.viewer)}"
    before = business_rows()

    assert "Keep out of every account" not in client.get(url).text
    assert client.post(f"{url}/suspend-person").status_code == 403
    assert business_rows() == before


@pytest.mark.usefixtures("world")
def test_the_list_says_who_signed_in_when(client: PortalClient, sign_in: SignIn) -> None:
    client.post("/sign-in", data={"email": "viewer@acme.example", "password": "portal-demo-2026"})

    page = sign_in("admin@acme.example").get(f"{PAGE}?q=viewer@").text

    assert "2026-11-22T09:00" in page


@pytest.mark.usefixtures("world")
def test_the_list_costs_as_many_statements_for_five_people_as_for_three_hundred(
    sign_in: SignIn,
    count_statements: Callable[[], Any],
) -> None:
    client = sign_in("admin@acme.example")
    client.get(PAGE)

    def cost(query: str) -> int:
        with count_statements() as counted:
            assert client.get(f"{PAGE}?{query}").status_code == 200
        return int(counted.total)

    few = cost("size=250&unit=LAB")
    rows = "".join(f"p{n}@acme.example,P {n},ACME,LAB,viewer\n" for n in range(300))
    load("people", f"email,name,account_code,unit_code,roles\n{rows}")

    assert cost("size=250&unit=LAB") == few
