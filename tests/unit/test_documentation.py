"""What the documents say is what the code has."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_function_reference_is_the_function_table() -> None:
    manual = runpy.run_path(str(ROOT / "docs" / "generate.py"))["manual"]()
    assert (ROOT / "docs" / "functions.md").read_text(encoding="utf-8") == manual, "run `python docs/generate.py`"
