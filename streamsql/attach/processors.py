"""The Python functions that stand in for Lambda functions: `module:function`, found from the working directory."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamsql.errors import ProgrammingError


def function_named(text: str, option: str) -> Callable[[Any, Any], Any]:
    """The function that `module:function` names.  Raises ProgrammingError, which says which option is wrong."""
    module_name, colon, name = text.partition(":")
    if not colon or not module_name or not name:
        raise ProgrammingError(f"{option}: {text!r} is not module:function")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise ProgrammingError(f"{option}: there is no module {error.name}", hint=f"it is looked for in {folder} too") from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{option}: importing {module_name} failed: {type(error).__name__}: {error}"
        raise ProgrammingError(text, hint=f"{place.filename}:{place.lineno}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ProgrammingError(f"{option}: module {module_name} has no function {name}")
    found: Callable[[Any, Any], Any] = function
    return found
