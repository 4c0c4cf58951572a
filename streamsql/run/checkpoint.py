"""Checkpoints: what must outlive a crash, as Arrow files and JSON in one directory a checkpoint.

    DIR/000042/manifest.json      epoch, fingerprint, positions, bounds, what the sinks have staged
    DIR/000042/state.arrow        the containers of state, one Arrow IPC stream after the other (the manifest says where)

A checkpoint is written under another name, made durable and renamed: it is there whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from streamsql.errors import OperationalError

KEPT = 3
"""How many checkpoints are kept."""

_ALIGNMENT = 64
"""Bytes on whose multiples Arrow's buffers begin, so that state is read where it lies."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of the engine between two steps.  Everything but `state` is plain JSON."""

    epoch: int
    fingerprint: Mapping[str, str]
    """Of every pump, stream and output: a digest of what its state depends on."""
    facts: Mapping[str, Any]
    """Positions, bounds, staged output, the time the queries started, whether the run is complete."""
    state: Mapping[str, Mapping[str, pa.Table]] = field(default_factory=dict)
    """By operator and container."""


class CheckpointDirectory:
    """The checkpoints of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def staging(self) -> Path:
        """Where sinks keep what is written and not yet committed."""
        return self.path / "staged"

    def open(self, fresh: bool) -> None:
        """Make the directory; `fresh` forgets what is in it."""
        if fresh and self.path.exists():
            for entry in self._epochs():
                shutil.rmtree(entry)
            shutil.rmtree(self.staging, ignore_errors=True)
        try:
            self.staging.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OperationalError(f"cannot make the checkpoint directory {self.path}: {error.strerror}") from error

    def latest(self) -> Checkpoint | None:
        """The newest whole checkpoint."""
        epochs = self._epochs()
        if not epochs:
            return None
        directory = epochs[-1]
        manifest = json.loads((directory / "manifest.json").read_text())
        state: dict[str, dict[str, pa.Table]] = {}
        if manifest["containers"]:
            with pa.memory_map(str(directory / "state.arrow")) as file:
                held = file.read_buffer()
            for operator, container, offset, length in manifest["containers"]:
                state.setdefault(operator, {})[container] = pa.ipc.open_stream(held.slice(offset, length)).read_all()
        return Checkpoint(int(directory.name), manifest["fingerprint"], manifest["facts"], state)

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint durably, then drop the old ones."""
        target = self.path / f"{checkpoint.epoch:09d}"
        partial = target.with_suffix(".tmp")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        containers: list[tuple[str, str, int, int]] = []
        with (partial / "state.arrow").open("wb") as state:
            for operator, held in checkpoint.state.items():
                for container, table in held.items():
                    state.write(b"\0" * (-state.tell() % _ALIGNMENT))
                    offset = state.tell()
                    with pa.ipc.new_stream(state, table.schema) as writer:
                        writer.write_table(table)
                    containers.append((operator, container, offset, state.tell() - offset))
            state.flush()
            os.fsync(state.fileno())
        manifest = {"fingerprint": dict(checkpoint.fingerprint), "facts": checkpoint.facts, "containers": containers}
        with (partial / "manifest.json").open("w") as file:
            json.dump(manifest, file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        _sync_directory(self.path)
        for old in self._epochs()[:-KEPT]:
            shutil.rmtree(old)

    def _epochs(self) -> list[Path]:
        if not self.path.exists():
            return []
        return sorted(entry for entry in self.path.iterdir() if entry.is_dir() and entry.name.isdigit())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
