"""What the loop of a connection does in a race that cannot be staged with real signals."""

from __future__ import annotations

import threading

import pytest

from streamsql.session.calls import whole_interrupts


def test_an_interrupt_while_a_condition_takes_its_lock_again() -> None:
    """Then the lock is nobody's, and the `with` of the condition fails over it."""
    condition = threading.Condition()
    with pytest.raises(KeyboardInterrupt), whole_interrupts(), condition:
        condition.release()
        raise KeyboardInterrupt


def test_other_failures_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="something else"), whole_interrupts():
        raise RuntimeError("something else")
