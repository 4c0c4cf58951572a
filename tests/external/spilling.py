"""What the tests of operators have in common that put on disk what memory does not hold."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from streamsql.external.scan import portions, scan
from streamsql.run.operators import sorted_runs, spill
from tests.external.lake import Lake


@contextmanager
def little(memory: int, block: int, rows: int = 50, at_once: int = 64) -> Iterator[None]:
    """Memory for so many bytes, of which blocks are read; so many rows come at a time; so many runs are merged at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "MEMORY", memory)
        patch.setattr(spill, "BLOCK", block)
        patch.setattr(sorted_runs, "AT_ONCE", at_once)
        patch.setattr(portions, "BATCH", rows)
        patch.setattr(scan, "ENOUGH", 0)
        yield


@contextmanager
def temporary(folder: Path) -> Iterator[None]:
    """A folder for temporary files, of which none is left."""
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        yield
        assert not files_in(folder)


@contextmanager
def full_disk() -> Iterator[None]:
    """The device that is always full stands in for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("w+b"))  # noqa: SIM115
        yield


def files_in(folder: Path) -> list[str]:
    """The open files of this process that lie in a folder, also those without a name."""
    opened = []
    for file in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # another thread has closed it
            opened.append(str(file.readlink()))
    return [name for name in opened if name.startswith(str(folder))]


def analyzed(lake: Lake, query: str) -> str:
    """What EXPLAIN ANALYZE says."""
    (result,) = lake.engine.execute_script(f"EXPLAIN ANALYZE {query}")
    assert result.rows is not None
    return "\n".join(result.rows.take()["PLAN"].to_pylist())


def check_left(lake: Lake, query: str, rows: int, folder: Path) -> None:
    """A query that is left after its first rows, fewer than so many, has files in the folder until it is closed."""
    (result,) = lake.engine.execute_script(query)
    assert result.rows is not None
    first = result.rows.take()
    assert first is not None
    assert first.num_rows < rows
    assert files_in(folder)
    result.rows.close()
    assert not files_in(folder)
