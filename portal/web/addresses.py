"""Addresses that keep the state of a list: the same page with other arguments."""

from urllib.parse import urlencode

from flask import request
from werkzeug.datastructures import MultiDict


def url_with(**changes: object) -> str:
    """Return this page's address with some arguments changed; None removes one."""
    arguments: MultiDict[str, str] = MultiDict(request.args)
    for name, value in changes.items():
        arguments.poplist(name)
        if value is not None:
            arguments.add(name, str(value))
    return _address(arguments)


def url_without(name: str, value: str) -> str:
    """Return this page's address without one value of an argument that may repeat."""
    arguments: MultiDict[str, str] = MultiDict(request.args)
    arguments.setlist(name, [other for other in arguments.getlist(name) if other != value])
    arguments.poplist("page")
    return _address(arguments)


def _address(arguments: MultiDict[str, str]) -> str:
    query = urlencode(list(arguments.items(multi=True)))
    return f"{request.path}?{query}" if query else request.path
