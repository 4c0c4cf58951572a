"""Statements that are saved under names, with places for values."""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from streamsql.catalog import nearest
from streamsql.errors import OperationalError, ProgrammingError
from streamsql.repl import places

_VALUE = re.compile(r"\$(\d+)")


class Favourites:
    """The file of saved statements; it is read each time, so that sessions see each other's."""

    def __init__(self) -> None:
        self._path = places.favourites()

    def all(self) -> dict[str, str]:
        """The statements by name."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise OperationalError(f"cannot read {self._path}: {error}") from None
        if not isinstance(found, dict):
            raise OperationalError(f"{self._path} is not an object of statements by name")
        return {str(name): str(text) for name, text in found.items()}

    def get(self, name: str, values: Sequence[str]) -> str:
        """The statement of a name, with values in the places of $1, $2 ..."""
        known = self.all()
        if name not in known:
            raise ProgrammingError(f"no saved statement {name}", hint=nearest(name, known) or "\\ns NAME saves the last one")
        wanted = max((int(number) for number in _VALUE.findall(known[name])), default=0)
        if len(values) != wanted:
            count = "no values" if not wanted else "1 value" if wanted == 1 else f"{wanted} values"
            raise ProgrammingError(f"{name} takes {count}: {known[name]}")
        return _VALUE.sub(lambda match: values[int(match[1]) - 1], known[name])

    def save(self, name: str, text: str) -> None:
        """Keep a statement under a name, instead of one that has it."""
        self._write({**self.all(), name: text})

    def delete(self, name: str) -> None:
        """Forget the statement of a name."""
        known = self.all()
        if name not in known:
            raise ProgrammingError(f"no saved statement {name}", hint=nearest(name, known))
        del known[name]
        self._write(known)

    def _write(self, statements: dict[str, str]) -> None:
        if self._path is None:
            raise OperationalError("there is no place for saved statements", hint="the variable STREAMSQL_QUERIES names a file")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(statements, file, ensure_ascii=False, indent=1)
            Path(name).replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError, UnboundLocalError):
                Path(name).unlink()
            raise OperationalError(f"cannot write {self._path}: {error.strerror}") from None
