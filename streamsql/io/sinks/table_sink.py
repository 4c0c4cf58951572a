"""Rows to one Parquet or Arrow file, which appears whole when the run has ended."""

from __future__ import annotations

from pathlib import Path

from streamsql.errors import OperationalError
from streamsql.io.arrow import arrow_batches, arrow_writer
from streamsql.io.formats import TableFormat
from streamsql.io.sinks.parts import UNFINISHED, PartFile, TablePart
from streamsql.io.sinks.sink import Delivery, Staged
from streamsql.types import Batch, Schema


class TableSink:
    """Leaves a part in the staging directory at each commit, and puts the parts together at the end."""

    delivery = Delivery.EXACTLY_ONCE

    def __init__(self, path: Path, format: TableFormat, schema: Schema, staging: Path, resume: bool) -> None:
        self._path = path
        self._format = format
        self._schema = Schema(schema.visible)
        self._staging = staging
        self._parts = 0
        self._part: PartFile | None = None
        staging.mkdir(parents=True, exist_ok=True)
        clear_output(path, resume)

    def write(self, batch: Batch) -> None:
        if self._part is None:
            self._part = PartFile(self._staging / UNFINISHED, lambda file: TablePart(file, arrow_writer, self._schema))
        self._part.write(batch)

    def prepare(self) -> Staged:
        part, self._part = self._part, None
        if part is not None:
            part.publish(self._numbered(self._parts + 1))
        return {"parts": self._parts + (part is not None)}

    def commit(self, staged: Staged) -> None:
        """Count the part in.  One behind it was committed by no run."""
        self._parts = staged["parts"]
        self._numbered(self._parts + 1).unlink(missing_ok=True)

    def close(self) -> None:
        """Put the file together, unless it is whole already: only then parts are taken away."""
        parts = [self._numbered(number + 1) for number in range(self._parts)]
        if all(part.exists() for part in parts):
            whole = PartFile(beside(self._path), lambda file: TablePart(file, self._format.writer, self._schema))
            for part in parts:
                with part.open("rb") as stream:
                    for batch in arrow_batches(stream, [field.name for field in self._schema.fields], 0):
                        whole.write(batch)
            whole.publish(self._path)
        elif not self._path.exists():
            raise OperationalError(f"cannot complete {str(self._path)!r}: its parts in {str(self._staging)!r} are gone")
        for part in parts:
            part.unlink(missing_ok=True)

    def abandon(self) -> None:
        if self._part is not None:
            self._part.discard()

    def _numbered(self, number: int) -> Path:
        return self._staging / f"{number:06d}.arrow"


class PlainTableSink:
    """Lets the file grow beside its place, under a hidden name: a run that crashes begins anew."""

    delivery = Delivery.AT_LEAST_ONCE

    def __init__(self, path: Path, format: TableFormat, schema: Schema, resume: bool) -> None:
        self._path = path
        clear_output(path, resume)
        self._whole = PartFile(beside(path), lambda file: TablePart(file, format.writer, schema))

    def write(self, batch: Batch) -> None:
        self._whole.write(batch)

    def prepare(self) -> Staged:
        return {}

    def commit(self, staged: Staged) -> None:
        pass

    def close(self) -> None:
        self._whole.publish(self._path)

    def abandon(self) -> None:
        self._whole.discard()


def beside(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(f".{path.name}.{UNFINISHED}")


def clear_output(path: Path, resume: bool) -> None:
    """See to it that a file can be written, and take an existing one away unless a run goes on."""
    try:
        beside(path).touch()
        beside(path).unlink()
        if not resume:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OperationalError(f"cannot write {str(path)!r}: {error.strerror}") from error
