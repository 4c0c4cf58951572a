"""The cell magic for IPython and Jupyter: `%load_ext streamsql`, then `%%streamsql`."""

from __future__ import annotations

from streamsql.notebook.magic import load
from streamsql.notebook.result import Result

__all__ = ["Result", "load"]
