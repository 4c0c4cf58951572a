"""Text that people write and that is another dialect's, a template's or a word processor's, and how it is spelled here."""

from __future__ import annotations

from streamsql.statements import Identifier


def check_function(name: Identifier) -> None:
    """Raises for the name of a function that only other dialects have."""
