"""Files that survive a crash: written under another name, made durable, and only then given their own."""

from __future__ import annotations

import os
from pathlib import Path


def publish(written: Path, path: Path) -> None:
    """Give a completely written file its name, in the place of any other, so that it is there after a power failure."""
    written.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
