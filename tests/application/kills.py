"""kill -9 at random moments."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path


def killed(run: Sequence[str], state: Path, draw: random.Random, checkpoints: int, pause: float) -> Iterator[None]:
    """Run a command again and again until it comes to its end, and kill it each time: up to so many checkpoints and so many
    seconds later.  Gives control after each kill."""
    command = [*run, "--checkpoint", str(state), "--checkpoint-interval", "20ms"]
    while True:
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        if not _alive_after_checkpoints(process, state, draw.randint(1, checkpoints)):
            assert process.returncode == 0, process.communicate()[1]
            return
        time.sleep(draw.random() * pause)
        process.kill()
        process.communicate()
        yield


def _alive_after_checkpoints(process: subprocess.Popen[bytes], state: Path, wanted: int) -> bool:
    """Wait until the process has made some checkpoints more, or has ended; gives whether it still runs."""
    before = _newest(state)
    while process.poll() is None:
        if _newest(state) >= before + wanted:
            return True
        time.sleep(0.002)
    return False


def _newest(state: Path) -> int:
    epochs = [int(entry.name) for entry in state.iterdir() if entry.name.isdigit()] if state.exists() else []
    return max(epochs, default=0)
