"""The pages of assets, as the people who open them see them."""

import csv
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from io import StringIO

import pytest

from portal.demo.cast import Cast
from portal.errors import NotAllowedError
from portal.lifecycle import IllegalMoveError
from portal.service.assets import pages
from portal.service.assets.actions import (
    AssetChangedError,
    NewEntitlement,
    Transfer,
    UnknownPersonError,
    UnknownUnitError,
    add_entitlement,
    change_entitlement,
    move_by_tag,
    transfer,
)
from portal.service.assets.queries import (
    AssetFilter,
    AssetNotFoundError,
    SameTagError,
    count_by_tab,
    cover_of,
    find_assets,
    get_asset,
)
from portal.service.assets.rules import AssetStatus, Covered, EntitlementKind, Move, Tab
from portal.service.assets.telling import Linked
from tests.service.assets.conftest import Owned, TakeIn
from tests.service.desk import OpenCase
from tests.stage import Counted, PortalClient

SignIn = Callable[..., PortalClient]
Rows = Callable[[], dict[str, tuple[int, str]]]
TODAY = date(2026, 11, 22)
BUYER, HERE = "buyer@acme.example", "ACME - IT"


def tags(actor: object, **wanted: object) -> list[str]:
    found = find_assets(actor, AssetFilter(**wanted), on=TODAY)  # type: ignore[arg-type]
    return [asset.service_tag for asset in found]


def plain(text: str) -> str:
    """Return what a page says, without the number by which its log line is found."""
    return re.sub(r"eference: \w+", "", text.partition("<main")[2].partition("</main>")[0])


def test_everybody_sees_the_units_within_their_reach_and_no_other(
    cast: Cast, fleet: Sequence[str]
) -> None:
    acme = ["IT-BUY", "IT-OLD", "IT-SHOP", "LAB-1"]
    assert fleet
    assert tags(cast.acme.shopper) == ["IT-SHOP"]
    assert tags(cast.acme.viewer) == ["IT-BUY", "IT-OLD", "IT-SHOP"]
    assert tags(cast.acme.research_head) == ["LAB-1"]
    assert tags(cast.acme.admin) == tags(cast.acme.auditor) == acme
    assert tags(cast.hanbit.viewer) == tags(cast.hanbit.admin) == ["SEOUL-1"]
    assert tags(cast.hanbit.fab_head) == []
    assert tags(cast.supplier.account_manager) == acme
    assert tags(cast.supplier.service_agent) == [*acme, "SEOUL-1"]
    assert tags(cast.supplier.pricing_manager) == []


def test_what_is_out_of_reach_does_not_exist(cast: Cast, fleet: Sequence[str]) -> None:
    assert fleet
    for actor, tag in (
        (cast.acme.shopper, "IT-BUY"),
        (cast.hanbit.admin, "IT-BUY"),
        (cast.acme.admin, "SEOUL-1"),
        (cast.acme.admin, "NOTHING"),
    ):
        with pytest.raises(AssetNotFoundError, match=tag):
            get_asset(actor, tag)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"tab": Tab.COVERED}, ["IT-BUY", "IT-SHOP", "LAB-1"]),
        ({"tab": Tab.EXPIRING}, ["IT-BUY", "IT-SHOP", "LAB-1"]),
        ({"tab": Tab.EXPIRING, "days": 30}, ["IT-BUY"]),
        ({"tab": Tab.EXPIRING, "days": 27}, []),
        ({"tab": Tab.EXPIRED}, ["IT-OLD"]),
        ({"text": "it-b"}, ["IT-BUY"]),
        ({"text": "%"}, []),
        ({"text": "Sam Hoffmann"}, ["IT-SHOP"]),
        ({"sku": "mn-0001"}, ["IT-OLD"]),
        ({"unit": "LAB"}, ["LAB-1"]),
        ({"status": "retired"}, []),
        ({"status": "nonsense"}, []),
    ],
)
def test_filters_narrow_the_list_and_the_counts_are_exact(
    cast: Cast, fleet: Sequence[str], wanted: dict[str, object], found: list[str]
) -> None:
    assert fleet
    asked = AssetFilter(**wanted)  # type: ignore[arg-type]

    assert tags(cast.acme.admin, **wanted) == found
    assert count_by_tab(cast.acme.admin, asked, on=TODAY)[asked.tab] == len(found)


def test_tabs_agree_with_the_rule_of_cover(cast: Cast, fleet: Sequence[str]) -> None:
    assert fleet
    every = find_assets(cast.acme.admin, AssetFilter(), on=TODAY)
    for days in (0, 27, 28, 60, 400):
        ending = [
            asset.service_tag
            for asset in every
            if (left := cover_of(asset, TODAY).days_left(TODAY)) is not None and left <= days
        ]
        assert tags(cast.acme.admin, tab=Tab.EXPIRING, days=days) == ending


def test_the_list_needs_the_same_statements_for_one_unit_and_for_many(
    sign_in: SignIn,
    take_in: TakeIn,
    count_statements: Callable[[], AbstractContextManager[Counted]],
) -> None:
    take_in(Owned("ONE"))
    client = sign_in(BUYER, membership=HERE)
    client.get("/service/assets")
    with count_statements() as few:
        assert "ONE" in client.get("/service/assets").text
    take_in(*(Owned(f"T{place}", person="shopper@acme.example") for place in range(40)))
    with count_statements() as many:
        assert "T39" in client.get("/service/assets").text

    assert many.total <= few.total + 2  # people and units are there at all
    assert many.total <= 16


def test_the_export_has_exactly_what_the_page_shows(sign_in: SignIn, fleet: Sequence[str]) -> None:
    assert fleet
    client = sign_in(BUYER, membership=HERE)

    answer = client.get("/service/assets?view=expiring&days=30&format=csv")

    rows = list(csv.DictReader(StringIO(answer.text.lstrip("\ufeff"))))
    assert [row["service_tag"] for row in rows] == ["IT-BUY"]
    assert rows[0]["entitlement_until"] == "2026-12-20"
    assert rows[0]["person"] == "Ben Brandt"
    assert client.get("/service/assets?format=xlsx").data.startswith(b"PK")


def test_the_page_of_a_unit_says_at_once_what_covers_it(
    sign_in: SignIn, fleet: Sequence[str]
) -> None:
    assert fleet
    client = sign_in(BUYER, membership=HERE)

    page = client.get("/service/assets/it-buy").text
    assert "Covered until Dec 20, 2026, 28 more days." in page
    assert "Cover ended on May 1, 2025." in client.get("/service/assets/IT-OLD").text
    foreign, missing = (client.get(f"/service/assets/{tag}") for tag in ("LAB-1", "NIL-1"))
    assert foreign.status_code == missing.status_code == 404
    assert plain(foreign.text).replace("LAB-1", "NIL-1") == plain(missing.text)


def test_staff_who_see_two_units_with_one_tag_are_asked_which(
    sign_in: SignIn, take_in: TakeIn, cast: Cast
) -> None:
    take_in(Owned("SAME"), Owned("SAME", account="HANBIT"))
    with pytest.raises(SameTagError):
        get_asset(cast.supplier.service_agent, "SAME")
    client = sign_in("service@northwind.example")

    answer = client.get("/service/assets/SAME")
    assert (answer.status_code, answer.location) == (303, "/service/assets?q=SAME")
    listed = client.get("/service/assets?q=SAME").text
    assert "/service/assets/SAME?account=HANBIT" in listed
    assert "Hanbit" in client.get("/service/assets/SAME?account=HANBIT").text


def test_a_service_contact_gives_a_unit_to_somebody_else(
    sign_in: SignIn, fleet: Sequence[str], cast: Cast
) -> None:
    assert fleet
    client = sign_in("service@acme.example")
    data = {"unit": "IT", "email": "VIEWER@acme.example", "place": "Room 7", "version": "1"}

    answer = client.post("/service/assets/IT-BUY/transfer", data=data)

    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "Vera Lang" in page
    assert "Room 7" in page
    assert "Given to another unit, person or place" in page
    assert "Ben Brandt → Vera Lang" in page
    assert "Taken in from a file" in page
    asset = get_asset(cast.acme.viewer, "IT-BUY")
    assert asset.version == 2
    again = client.post("/service/assets/IT-BUY/transfer", data=data | {"place": "Room 8"})
    assert again.status_code == 422
    assert "changed by somebody else" in again.text
    assert get_asset(cast.acme.viewer, "IT-BUY").place == "Room 7"


def test_what_was_typed_wrongly_is_said_at_its_field_and_nothing_changes(
    sign_in: SignIn, fleet: Sequence[str], business_rows: Rows
) -> None:
    assert fleet
    client = sign_in("service@acme.example")
    before = business_rows()

    data = {"unit": "IT", "email": "nobody@acme.example", "place": "<b>7</b>", "version": "1"}
    answer = client.post("/service/assets/IT-BUY/transfer", data=data)

    assert answer.status_code == 422
    assert "Nobody of this account has this e-mail." in answer.text
    assert "&lt;b&gt;7&lt;/b&gt;" in answer.text
    assert business_rows() == before


def test_a_unit_goes_only_where_the_one_who_gives_it_may_look(
    cast: Cast, now: datetime, fleet: Sequence[str], business_rows: Rows
) -> None:
    assert fleet
    contact = cast.acme.service_contact
    before = business_rows()
    for to, refusal in (
        (Transfer(unit="RND"), UnknownUnitError),
        (Transfer(unit="SEOUL"), UnknownUnitError),
        (Transfer(), UnknownUnitError),
        (Transfer(unit="IT", email="shopper@hanbit.example"), UnknownPersonError),
    ):
        with pytest.raises(refusal):
            transfer(contact, "IT-BUY", to, version=1, now=now)
    with pytest.raises(NotAllowedError):
        transfer(cast.acme.buyer, "IT-BUY", Transfer(unit="IT"), version=1, now=now)
    assert business_rows() == before

    moved = transfer(cast.acme.admin, "IT-BUY", Transfer(unit="LAB"), version=1, now=now)
    assert moved.membership_id is None
    assert tags(cast.acme.viewer) == ["IT-OLD", "IT-SHOP"]


def test_what_is_retired_leaves_the_views_of_what_ends(
    cast: Cast, now: datetime, fleet: Sequence[str]
) -> None:
    assert fleet
    contact = cast.acme.service_contact
    move_by_tag(contact, "IT-OLD", Move.RETIRE, now=now)

    assert tags(cast.acme.admin, tab=Tab.EXPIRED) == []
    assert tags(cast.acme.admin, status="retired") == ["IT-OLD"]
    with pytest.raises(IllegalMoveError, match="IT-OLD is retired"):
        move_by_tag(contact, "IT-OLD", Move.RETIRE, now=now)
    with pytest.raises(NotAllowedError):
        move_by_tag(contact, "IT-OLD", Move.ADMIT, now=now)
    assert move_by_tag(contact, "IT-OLD", Move.REVIVE, now=now).status is AssetStatus.IN_USE


def test_the_supplier_entitles_a_unit_once_however_often_the_form_is_sent(
    cast: Cast, now: datetime, fleet: Sequence[str]
) -> None:
    assert fleet
    agent = cast.supplier.service_agent
    wanted = NewEntitlement(
        kind=EntitlementKind.CONTRACT,
        covers=(Covered.ON_SITE,),
        valid_from=TODAY,
        valid_until=TODAY + timedelta(days=364),
    )
    first = add_entitlement(agent, "IT-OLD", wanted, now=now)
    assert add_entitlement(agent, "IT-OLD", wanted, now=now).id == first.id
    asset = get_asset(agent, "IT-OLD")
    assert cover_of(asset, TODAY).pays(Covered.ON_SITE)

    with pytest.raises(AssetChangedError):
        change_entitlement(agent, "IT-OLD", 2, valid_until=TODAY, version=1, now=now)
    with pytest.raises(AssetNotFoundError):
        change_entitlement(agent, "IT-OLD", 3, valid_until=TODAY, version=asset.version, now=now)
    change_entitlement(agent, "IT-OLD", 2, valid_until=TODAY, version=asset.version, now=now)
    assert cover_of(get_asset(agent, "IT-OLD"), TODAY).until == TODAY
    with pytest.raises(NotAllowedError):
        add_entitlement(cast.acme.admin, "IT-OLD", wanted, now=now)


def test_the_agent_entitles_on_the_page_and_errors_stand_there(
    sign_in: SignIn, fleet: Sequence[str], business_rows: Rows
) -> None:
    assert fleet
    client = sign_in("service@northwind.example")
    data = {"kind": "contract", "covers": ["parts"], "valid_from": "2026-11-22"}
    before = business_rows()
    wrong = client.post(
        "/service/assets/IT-OLD/entitlements", data=data | {"valid_until": "2026-01-01"}
    )
    assert wrong.status_code == 422
    assert "before the first one" in wrong.text
    assert business_rows() == before

    right = client.post(
        "/service/assets/IT-OLD/entitlements", data=data | {"valid_until": "2027-11-21"}
    )
    assert right.status_code == 303
    assert "Covered until Nov 21, 2027" in client.get(right.location).text


def test_the_page_of_renewals_shows_prices_and_makes_the_quote(
    sign_in: SignIn, fleet: Sequence[str]
) -> None:
    assert fleet
    client = sign_in(BUYER, membership=HERE)
    page = client.get("/service/renewals?tag=IT-BUY&tag=IT-OLD&tag=LAB-1").text
    assert "until Dec 20, 2027: 89.00" in page
    assert ">LAB-1<" not in page
    data = {"key": "k1", "tag": ["IT-BUY", "IT-OLD"], "sku-IT-BUY": "SV-0001", "sku-IT-OLD": ""}

    answer = client.post("/service/renewals", data=data)

    assert answer.status_code == 303
    assert "SV-0001" in client.get(answer.location).text
    refused = client.post("/service/renewals", data=data | {"key": "k2"})
    assert refused.status_code == 422
    assert "a renewal stands on quote" in refused.text
    assert sign_in("viewer@acme.example").get("/service/renewals").status_code == 403


def test_the_cases_of_a_unit_stand_on_its_page_for_whoever_sees_them(
    sign_in: SignIn, fleet: Sequence[str], opened: OpenCase, cast: Cast
) -> None:
    assert fleet
    case = opened(cast.acme.buyer, subject="Keys stick", asset_tag="IT-BUY")
    mine = sign_in(BUYER, membership=HERE).get("/service/assets/IT-BUY").text
    assert f'href="/service/cases/{case.number}">{case.number}</a>' in mine
    assert "Keys stick" in mine
    desk = sign_in("desk@northwind.example").get("/service/assets/IT-BUY").text
    assert "Covered until" in desk
    assert case.number not in desk  # the order desk reads assets and no cases


def test_what_other_packages_know_of_a_unit_stands_on_its_page(
    sign_in: SignIn, fleet: Sequence[str], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fleet
    linked = Linked(now, "X-000009", "A broken key", "/somewhere", "waiting", "work")
    monkeypatch.setattr(pages, "_sources", [lambda _actor, _asset: [linked]])

    page = sign_in(BUYER, membership=HERE).get("/service/assets/IT-BUY").text

    assert page.count("X-000009") == 2  # in the section and on the time line
