"""The examples of docs/python.md, in their order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

MANUAL = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_examples_of_the_manual(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = MANUAL.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    blocks = list(re.finditer(r"```python\n(.*?)```", text, re.DOTALL))
    assert blocks
    for block in blocks:
        line = text[: block.start()].count("\n") + 1
        exec(compile("\n" * line + block[1], str(MANUAL), "exec"), names)
    names["con"].close()
