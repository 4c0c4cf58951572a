"""The adapter for Harlequin, the SQL IDE for terminals: `harlequin -a streamsql [DATABASE]`.

Harlequin finds it by its entry point; `pip install 'streamsql[harlequin]'` installs both.
"""

from __future__ import annotations

from streamsql.harlequin.adapter import StreamSQLAdapter

__all__ = ["StreamSQLAdapter"]
