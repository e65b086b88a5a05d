"""The import contracts of pyproject.toml hold, and the README draws the same layers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.architecture.sources import ROOT


def test_imports_point_downwards() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_every_package_has_its_place_in_the_layers_and_in_the_readme() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = " ".join(settings["tool"]["importlinter"]["contracts"][0]["layers"])
    placed = set(re.findall(r"portal\.(\w+)", layers))
    parts = {
        path.stem
        for path in (ROOT / "portal").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem != "__init__"
    }
    picture = (ROOT / "README.md").read_text(encoding="utf-8").split("```")[5]

    assert parts - placed == set()
    assert {part for part in parts - {"migrations", "__main__"} if part not in picture} == set()
