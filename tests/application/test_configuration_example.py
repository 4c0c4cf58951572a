"""The example of application configurations, run as the manual says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.application.command import lines, streamsql

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs/configuration.md").read_text()
COMMANDS = re.findall(r"^streamsql run examples/configuration(?:\\\n|.)*$", MANUAL, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example(command: str) -> None:
    done = streamsql(*shlex.split(command.replace("\\\n", " "))[1:], cwd=ROOT)
    assert done.returncode == 0, done.stderr
    rows = [(row["minute"], row["product"], row["pieces"], row["revenue"]) for row in lines(done.stdout)]
    assert rows == [
        ("2026-01-01 10:00:00.000", "lamp", 3, 76.5),
        ("2026-01-01 10:00:00.000", "rug", 1, 120.0),
        ("2026-01-01 10:01:00.000", "kettle", 3, 120.0),
    ]


def test_the_manual_has_both() -> None:
    assert len(COMMANDS) == 2
