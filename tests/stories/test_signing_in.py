"""Somebody with two memberships signs in, chooses one, changes it, and leaves."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.stories.browsing import Look, Visitor

pytestmark = pytest.mark.story


def test_a_buyer_chooses_between_two_memberships_and_leaves(
    browse_as: Callable[..., Visitor],
) -> None:
    visitor = browse_as("buyer@acme.example", "ACME - RND")
    page = visitor.page

    expect(page.get_by_role("banner")).to_contain_text("ACME - RND")

    visitor.open("/memberships")
    page.get_by_role("main").get_by_role("button", name="ACME - IT").click()
    expect(page.get_by_role("banner")).to_contain_text("ACME - IT")

    page.get_by_role("banner").locator("summary").last.click()
    page.get_by_role("button", name="Sign out").click()
    visitor.open("/quotes")
    expect(page).to_have_url(f"{visitor.home}/sign-in?next=/quotes")


def test_it_works_without_javascript(browse_as: Callable[..., Visitor]) -> None:
    visitor = browse_as("buyer@acme.example", "ACME - IT", Look(javascript=False))

    visitor.open("/quotes")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()


def test_a_wrong_password_is_said_at_the_form_and_keeps_the_address(
    browse_as: Callable[..., Visitor],
) -> None:
    visitor = browse_as()
    visitor.open("/sign-in")

    page = visitor.fill_in_sign_in("buyer@acme.example", password="not the password")

    expect(page.get_by_label("E-mail")).to_have_value("buyer@acme.example")
    expect(page.get_by_role("main")).to_contain_text("There is a problem")
