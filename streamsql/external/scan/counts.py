"""What a scan has really read."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Measured while a scan goes on, by all of its threads.

    `partitions` are those of the table (1 where it has none), `partitions_left` those that WHERE leaves, `partitions_read`
    those whose files were looked at.  `rows` were decoded, `rows_given` left the scan.
    """

    partitions: int = 0
    partitions_left: int = 0
    partitions_read: int = 0
    files: int = 0
    files_opened: int = 0
    row_groups: int = 0
    row_groups_read: int = 0
    bytes: int = 0
    size: int = 0
    """The bytes of all files of the partitions that were read."""
    rows: int = 0
    rows_given: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, **amounts: int) -> None:
        """Add to some of them."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)
