"""What all tests share: `.slt` files as tests, where the reference data lies, and how property tests choose their examples."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import slt
from hypothesis import settings

if TYPE_CHECKING:
    from s3_server import Bucket, S3Server

SHARED = Path(os.environ.get("STREAMSQL_SHARED", Path(__file__).parents[2] / "shared"))
"""The cases and data that are not part of the repository; tests that need them are skipped where they are not there."""

settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("repeatable")  # the same examples for the same test: what passes here passes elsewhere

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job: the processes that tests start would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--complete", action="store_true", help="write the results of .slt files into them")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".slt":
        return SltFile.from_parent(parent, path=file_path)
    return None


class SltFile(pytest.File):
    """A file of SQL tests."""

    def collect(self) -> Iterator[pytest.Item]:
        if self.config.getoption("--complete"):
            slt.complete(self.path)
        for section in slt.read(self.path):
            yield SltItem.from_parent(self, name=section.title, section=section)


class SltItem(pytest.Item):
    """One section, run in all modes."""

    def __init__(self, *, section: slt.Section, **rest: object) -> None:
        super().__init__(**rest)
        self.section = section

    def runtest(self) -> None:
        slt.check(self.section)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> object:
        if isinstance(excinfo.value, slt.SltError):
            return f"{self.path}: {excinfo.value}"
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.section.records[0].line - 1, f"{self.path.name}: {self.section.title}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the reference data."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder {SHARED} (set STREAMSQL_SHARED)")
    return SHARED


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server of S3's API on this machine."""
    from s3_server import S3Server

    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket of that server, which `s3://` means as long as the test goes on, here and in processes that it starts."""
    monkeypatch.delenv("STREAMSQL_S3_ROOT", raising=False)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_server.settings.items():
        monkeypatch.setenv(name, value)
    new = s3_server.new_bucket()
    s3_server.forget()
    yield new
    s3_server.answer = None
