"""Run all benchmarks, or those in whose table, module or description a word stands, and print one table.

`python -m bench`, `python -m bench tumbling`, `python -m bench forest`
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from bench.measure import Measurement, table

BENCHMARKS = ("statements", "queries", "aggregates", "joins", "files", "partitions", "uservisits", "scans", "forest", "start")
"""Modules with a function `measurements`; what each measures stands in its description."""


def main() -> None:
    wanted = sys.argv[1].lower() if len(sys.argv) > 1 else ""
    modules = [importlib.import_module(f"bench.{name}") for name in BENCHMARKS]
    chosen = [module for module in modules if wanted in _words(module)]
    if not chosen:
        described = "\n".join(f"  {name}: {module.__doc__}" for name, module in zip(BENCHMARKS, modules, strict=True))
        sys.exit(f"nothing measures {wanted}; there are\n{described}")
    measured: list[Measurement] = []
    for module in chosen:
        print(f"measuring {module.__name__} ...", file=sys.stderr)
        measured += module.measurements()
    named = [measurement for measurement in measured if wanted in measurement.name.lower()]
    print(table(named or measured))


def _words(module: ModuleType) -> str:
    return f"{module.__name__} {module.__doc__}".lower()


if __name__ == "__main__":
    main()
