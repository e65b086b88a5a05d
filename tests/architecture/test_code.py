"""Rules of the house that read the source."""

import ast
import re

from tests.architecture.sources import ROOT, modules, tracked


def test_only_the_database_module_commits() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules("portal")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and path != "portal/db.py"
    ]

    assert found == []


def test_a_package_holds_no_drawer_for_odds_and_ends() -> None:
    names = {"utils", "util", "helpers", "common", "misc", "services", "service_layer"}

    assert [path for path, _ in modules("portal") if names & set(path[:-3].split("/"))] == []


def test_package_files_hold_one_docstring_and_nothing_else() -> None:
    filled = [
        path
        for path, tree in modules("portal")
        if path.endswith("__init__.py") and [n for n in tree.body if not isinstance(n, ast.Expr)]
    ]

    assert filled == []


def test_every_module_says_what_it_is_for() -> None:
    assert [
        path
        for path, tree in modules("portal")
        if ast.get_docstring(tree) is None and "/versions/" not in path
    ] == []


def test_no_file_outgrows_its_subject() -> None:
    long = {
        path: lines
        for path, _ in modules("portal")
        if "/versions/" not in path
        and (lines := (ROOT / path).read_text(encoding="utf-8").count("\n")) > 450
    }

    assert long == {}


def test_money_is_never_a_float() -> None:
    pure = re.compile(r"portal/(money|catalog/pricing/.*|quotes/.*|orders/.*|approvals/.*)\.py")
    likeness = "portal/quotes/checking.py"  # how alike two SKUs are is no amount
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules("portal")
        if pure.fullmatch(path) and path != likeness
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]

    assert found == []


def test_rules_ask_no_clock() -> None:
    """``now`` is an argument; the edge alone knows what time it is."""
    edges = re.compile(r"portal/(web/clock|cli|.*/cli|jobs/.*|demo/.*)\.py")
    found = [
        f"{path}:{node.lineno}"
        for path, tree in modules("portal")
        if not edges.fullmatch(path)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date"}
    ]

    assert found == []


def test_tracked_files_name_no_registry_and_no_machine() -> None:
    parts = [
        r"(?<![\w.])/(?:work|root|opt|farm|home/\w+)/",
        r"--(?:extra-)?index-url\s+\S",
        r"files\.pythonhosted\.org",
        r"registry\.npmjs\.org",
        r"pypi\.org/simple",
    ]
    pattern = re.compile("|".join(parts))
    this = "tests/architecture/test_code.py"
    found = [
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in tracked()
        if path != this and not path.startswith("portal/static/vendor/")
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []
