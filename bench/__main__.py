"""Run all benchmarks, or those whose name contains the argument, and print one table."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable

from bench.measure import Measurement, table

BENCHMARKS = ("statements", "queries", "files", "forest", "start")
"""Modules with a function `measurements`."""


def main() -> None:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    measured: list[Measurement] = []
    for name in BENCHMARKS:
        module = importlib.import_module(f"bench.{name}")
        measurements: Callable[[], list[Measurement]] = module.measurements
        if wanted in name or wanted in (module.__doc__ or "").lower():
            print(f"measuring {name} ...", file=sys.stderr)
            measured += measurements()
    if not measured:
        sys.exit(f"no benchmark called {wanted}; there are {', '.join(BENCHMARKS)}")
    print(table(measured))


if __name__ == "__main__":
    main()
