"""An application run headless: `streamsql run`.

`application` is the run, from the first statement to the end; `trial` looks at an application without running it; `outputs`
is where rows go; `fingerprint` is what a checkpoint must fit.  `application_file` reads what is to be run, `configured`
attaches what it says; `headless` is the command with all that stands around a run.
"""

from __future__ import annotations

from streamsql.application.application import Application
from streamsql.application.settings import CHECKPOINT_SECONDS, Counts, Settings
from streamsql.application.trial import Trial

__all__ = ["CHECKPOINT_SECONDS", "Application", "Counts", "Settings", "Trial"]
