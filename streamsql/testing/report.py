"""Outcomes of tests: lines for people, JUnit's XML for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from streamsql.errors import OperationalError
from streamsql.testing.runner import Outcome


def line(outcome: Outcome) -> str:
    """What is told of one test: a line, and behind a failed one what is wrong."""
    test = outcome.test
    if outcome.passed:
        return f"ok    {test.file}: {test.name}"
    indented = "\n".join(f"      {text}".rstrip() for text in outcome.problem.splitlines())
    return f"FAIL  {test.file}:{outcome.line}: {test.name}\n{indented}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """The last line."""
    failed = sum(not outcome.passed for outcome in outcomes)
    return f"{len(outcomes) - failed} passed, {failed} failed in {sum(outcome.seconds for outcome in outcomes):.2f} s"


def write_junit(outcomes: Sequence[Outcome], path: Path) -> None:
    """Write JUnit's XML: a suite a file.  Raises OperationalError where that cannot be done."""
    root = ElementTree.Element("testsuites")
    for file in dict.fromkeys(outcome.test.file for outcome in outcomes):
        cases = [outcome for outcome in outcomes if outcome.test.file == file]
        failed = sum(not outcome.passed for outcome in cases)
        seconds = sum(outcome.seconds for outcome in cases)
        counts = {"tests": str(len(cases)), "failures": str(failed), "errors": "0", "time": f"{seconds:.3f}"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": str(file), **counts})
        for outcome in cases:
            place = {"name": outcome.test.name, "classname": str(file), "file": str(file), "line": str(outcome.test.line)}
            case = ElementTree.SubElement(suite, "testcase", {**place, "time": f"{outcome.seconds:.3f}"})
            if not outcome.passed:
                failure = ElementTree.SubElement(case, "failure", {"message": outcome.problem.splitlines()[0]})
                failure.text = outcome.problem
    try:
        ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
    except OSError as error:
        raise OperationalError(f"cannot write {path}: {error.strerror}") from None
