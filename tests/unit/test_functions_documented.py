"""The function table is the manual: every record says what it gives and shows it."""

import re

import pytest

import streamsql.functions.library  # noqa: F401
from streamsql.functions.registry import SCALARS

RECORDS = [record for records in SCALARS.values() for record in records]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.signature.text)
def test_a_function_says_what_it_gives_and_has_an_example(record):
    first, *_ = record.documentation.splitlines()
    assert first.endswith((".", ":"))
    assert re.search(r"^ *>>> \S.*\n +\S", record.documentation, re.MULTILINE)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.signature.text)
def test_a_function_has_a_result_type_and_an_instant_of_change_only_where_it_is_monotone(record):
    named = {parameter.name for parameter in record.signature.parameters}
    assert record.returns or record.signature.result in named or record.signature.result.isupper()
    assert record.monotone or not record.next_change
