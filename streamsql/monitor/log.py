"""What a run says of itself on stderr: lines for people, or one JSON object a line for programs."""

from __future__ import annotations

import json
from typing import Any, TextIO

from streamsql.errors import Error
from streamsql.time import Clock, WallClock, timestamp_text

FORMATS = ("text", "json")


class Log:
    """Writes what there is to say.  `fields` hold the numbers and names of a message, for programs."""

    def __init__(self, out: TextIO, format: str = "text", clock: Clock | None = None) -> None:
        self._out = out
        self._is_json = format == "json"
        self._clock = clock or WallClock()

    def info(self, text: str, **fields: Any) -> None:
        """Something that everybody may want to know."""
        self._write("info", text, text, fields)

    def warning(self, text: str, **fields: Any) -> None:
        """Something that is probably not meant."""
        self._write("warning", f"warning: {text}", text, fields)

    def lost(self, text: str, **fields: Any) -> None:
        """A row that went to `error_stream`."""
        self._write("error", text, text, fields)

    def error(self, error: Error) -> None:
        """Why the run cannot go on."""
        place = {"file": error.file, "line": error.line, "column": error.column, "hint": error.hint}
        fields = {name: value for name, value in place.items() if value is not None}
        self._write("error", error.render(), error.message, fields)

    def _write(self, level: str, shown: str, message: str, fields: dict[str, Any]) -> None:
        if self._is_json:
            record = {"time": timestamp_text(self._clock.now()), "level": level, "message": message, **fields}
            shown = json.dumps(record, ensure_ascii=False, default=str)
        else:
            shown = f"streamsql: {shown}"
        print(shown, file=self._out, flush=True)
