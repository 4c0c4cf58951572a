"""What a wheel holds: every package of the source, and what belongs to it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import streamsql

ROOT = Path(streamsql.__file__).parents[1]


def test_every_package_is_in_the_wheel() -> None:
    """The packages are listed by hand, since the grammar lies outside of the others."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = [".".join(file.parent.relative_to(ROOT).parts) for file in (ROOT / "streamsql").rglob("__init__.py")]
    assert sorted(listed) == sorted([*found, "streamsql.grammar"])
