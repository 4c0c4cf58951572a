"""What is said of configurations that are wrong: `errors.txt` holds documents and the whole message for each.

`python -m tests.configuration.test_errors` fills in the messages; read them before you keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from streamsql.configuration.read import read_configuration, read_schema
from streamsql.errors import Error

FILE = Path(__file__).parent / "errors.txt"


@dataclass(frozen=True)
class Case:
    """A document, and the message as the command line prints it."""

    title: str
    text: str
    expected: str


def cases() -> list[Case]:
    found = []
    for block in FILE.read_text().split("=== ")[1:]:
        title, _, rest = block.partition("\n")
        text, _, expected = rest.rpartition("----\n")
        found.append(Case(title, text, expected.rstrip("\n")))
    return found


def message(case: Case) -> str:
    """The error of a document; one whose title says so is a schema of its own."""
    try:
        if case.title.startswith("schema:"):
            read_schema(case.text)
        else:
            wanted = "A" if case.title.endswith("whose it is") else None
            read_configuration(case.text, "stack", {}, wanted)
    except Error as error:
        return error.located(case.text, "app").render()
    return "no error"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_message(case: Case) -> None:
    assert message(case) == case.expected


if __name__ == "__main__":
    FILE.write_text("".join(f"=== {case.title}\n{case.text}----\n{message(case)}\n" for case in cases()))
