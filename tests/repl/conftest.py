"""What the tests of the REPL share: processes that start from compiled modules."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.repl.terminal import Terminal

Start = Callable[..., Terminal]


@pytest.fixture(scope="session", autouse=True)
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where the environment forbids bytecode, let it be written into a folder of the tests: they start in a third of the time."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("PYTHONDONTWRITEBYTECODE"):
            patch.delenv("PYTHONDONTWRITEBYTECODE")
            patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.getbasetemp().parent / "bytecode"))
        yield


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts sessions, which end with the tests."""
    started: list[Terminal] = []

    def begin(*arguments: str, folder: Path, **rest: Any) -> Terminal:
        started.append(Terminal(*arguments, folder=folder, **rest))
        started[-1].until(started[-1].at_prompt)
        return started[-1]

    yield begin
    for terminal in started:
        terminal.close()
