"""What a command of the REPL is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamsql.repl.shell import Shell


@dataclass(frozen=True, slots=True)
class Command:
    """One command.  `completes` says what its argument is, for the prompt."""

    names: tuple[str, ...]
    arguments: str
    help: str
    function: Callable[[Shell, str], None]
    completes: str = ""
