"""What was typed before, as it is kept between sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streamsql.repl import places

if TYPE_CHECKING:
    from prompt_toolkit.history import History


def history() -> History:
    """The history; only in memory where there is no place for it that can be written."""
    from prompt_toolkit.history import FileHistory, InMemoryHistory  # 50 ms, which a batch of statements need not wait for

    path = places.history()
    if path is None:
        return InMemoryHistory()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
        with path.open("ab"):
            pass
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def remembered() -> list[str]:
    """The statements and commands in the file of the history, the oldest first."""
    return list(reversed(list(history().load_history_strings())))
