"""Cold starts: how long until a command answers."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time

from bench.measure import Measurement, process_seconds


def measurements() -> list[Measurement]:
    """`--version`, a first query, and the prompt in a terminal, beside DuckDB's import and first query."""
    ours = [sys.executable, "-m", "streamsql"]
    query, peer_query = "SELECT 1 + 1", "import duckdb; print(duckdb.sql('SELECT 1 + 1'))"
    _, version = process_seconds([*ours, "--version"])
    _, first = process_seconds([*ours, "-c", query])
    _, peer = process_seconds([sys.executable, "-c", peer_query])
    return [
        Measurement("cold start of streamsql --version, wall", "s", version, less=True),
        Measurement("cold start of a first query, wall", "s", first, "DuckDB in Python", peer, less=True),
        Measurement("cold start of the prompt, wall", "s", _prompt_seconds(ours), less=True),
    ]


def _prompt_seconds(command: list[str], repeat: int = 5) -> float:
    """Until the first characters of the prompt are on the screen: the median of several runs."""
    figures = sorted(_until_prompt(command) for _ in range(repeat + 1))
    return figures[len(figures) // 2]


def _until_prompt(command: list[str]) -> float:
    begun = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.execv(command[0], command)
    seen = b""
    while b">" not in seen and time.perf_counter() - begun < 30:
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 65_536)
            if b"\x1b[6n" in seen:
                os.write(terminal, b"\x1b[1;1R")  # the terminal's answer to where the cursor is
                seen = seen.replace(b"\x1b[6n", b"")
    seconds = time.perf_counter() - begun
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(terminal)
    return seconds
