"""What the documents say is what the code has."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    page = (DOCS / name).read_text(encoding="utf-8")
    assert page == PAGES[name](page), "run `python docs/generate.py`"


def test_the_pages_that_pass_have_their_tests() -> None:
    generate = runpy.run_path(str(DOCS / "generate.py"))
    records = tomllib.loads((DOCS / "conformance.toml").read_text(encoding="utf-8"))
    pages = {f"sqlref/{page}" for page in records["reference"].split()} | {f"dev/{page}" for page in records["guide"].split()}
    names = {page.partition("/")[2] for page in pages}
    tested = generate["tests_of_pages"]()
    assert set(tested) <= pages, "tests/aws names pages that are not in docs/conformance.toml"
    assert {*records["elsewhere"], *records["unsupported"], *records["differs"]} <= names
    assert not {page.partition("/")[2] for page in tested} & {*records["elsewhere"], *records["unsupported"]}, (
        "tested in tests/aws"
    )
    linked = re.findall(r"\]\(\.\./([^)]+)\)", (DOCS / "conformance.md").read_text(encoding="utf-8"))
    assert [path for path in linked if not (DOCS.parent / path).exists()] == []


def test_the_architecture_names_every_package_and_only_files_that_are_there() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    source = DOCS.parent / "streamsql"
    layers = text.split("## The layers")[1].split("```")[1].strip().splitlines()
    named = [name for line in layers for name in re.split(r" \| |, ", re.split(r" {2,}", line)[0])]
    assert sorted(named) == sorted(
        path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists() if path.stem[0] != "_"
    )
    files = set(re.findall(r"(?<![\w/.])\w+/[\w/]+\.(?:py|lark)\b", text))
    assert [file for file in files if not any((root / file).exists() for root in (source, DOCS.parent))] == []
