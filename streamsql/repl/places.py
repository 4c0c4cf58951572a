"""Where the REPL keeps what lasts: history, saved statements, and what is run at the start.

As other programs do: in the folders of XDG_STATE_HOME and XDG_CONFIG_HOME, or where a variable of our own says.
"""

from __future__ import annotations

import os
from pathlib import Path


def history() -> Path | None:
    """The file of what was typed; None where STREAMSQL_HISTORY is empty."""
    return _place("STREAMSQL_HISTORY", "XDG_STATE_HOME", ".local/state", "history")


def favourites() -> Path | None:
    """The file of saved statements."""
    return _place("STREAMSQL_QUERIES", "XDG_CONFIG_HOME", ".config", "queries.json")


def startup() -> Path | None:
    """The file of statements and commands that a session begins with."""
    return _place("STREAMSQL_RC", "XDG_CONFIG_HOME", ".config", "startup.sql")


def _place(variable: str, base: str, folder: str, name: str) -> Path | None:
    given = os.environ.get(variable)
    if given is not None:
        return Path(given).expanduser() if given else None
    try:
        root = os.environ.get(base) or Path.home() / folder
    except RuntimeError:  # nobody's home
        return None
    return Path(root) / "streamsql" / name
