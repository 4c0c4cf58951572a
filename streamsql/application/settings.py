"""How an application is run, and what is said at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from streamsql.attach.attacher import Attachments

CHECKPOINT_SECONDS = 5.0
"""How far apart checkpoints are, where nothing else is asked for."""


@dataclass(slots=True)
class Counts:
    """What the summary line says."""

    rows_in: int
    rows_out: int
    errors: int
    seconds: float

    def __str__(self) -> str:
        rate = self.rows_in / self.seconds if self.seconds else 0.0
        return (
            f"rows in {self.rows_in:,}, rows out {self.rows_out:,}, errors {self.errors:,}, "
            f"{self.seconds:.2f} seconds, {rate:,.0f} rows/s"
        )

    def fields(self) -> dict[str, float]:
        """The numbers by name, for a log that programs read."""
        return {"rows_in": self.rows_in, "rows_out": self.rows_out, "errors": self.errors, "seconds": round(self.seconds, 3)}


@dataclass(slots=True)
class Settings:
    """How an application is run."""

    attachments: Attachments = field(default_factory=Attachments)
    checkpoint: Path | None = None
    fresh: bool = False
    checkpoint_seconds: float = CHECKPOINT_SECONDS
    format: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    """What fills in the application's placeholders, and the parameters of a template."""
