"""Words that messages of the binder have in common."""

from __future__ import annotations


def counted(n: int) -> str:
    """A number of columns.

    >>> counted(1), counted(2)
    ('1 column', '2 columns')
    """
    return "1 column" if n == 1 else f"{n} columns"
