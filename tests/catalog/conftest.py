"""Fixtures of the catalogue's tests."""

from datetime import datetime

import pytest
from flask import Flask

from tests.catalog.shelves import Shelves, make_shelves


@pytest.fixture
def shelves(app: Flask, now: datetime) -> Shelves:  # noqa: ARG001 - the database it stands on
    return make_shelves(now)


@pytest.fixture
def shop(shelves: Shelves) -> Shelves:
    """The same with the small catalogue in it."""
    shelves.fill()
    return shelves
