"""The door: the text of a configuration, in any of its forms, as what it says of its application."""

from __future__ import annotations

from collections.abc import Mapping

from streamsql.configuration.cloudformation import application_of, is_template
from streamsql.configuration.document import Node, read_document
from streamsql.configuration.model import Configuration
from streamsql.configuration.part import Part
from streamsql.configuration.request import configuration_of
from streamsql.configuration.schema import record_schema
from streamsql.configuration.template import PSEUDO_PARAMETERS, Template
from streamsql.errors import ProgrammingError
from streamsql.io.layout import RecordSchema

ENDINGS = (".json", ".template", ".yaml", ".yml")
"""The endings of files that hold configurations."""

SCHEMAS = ("InputSchema", "ReferenceSchema")
"""What a file with one schema may call it."""


def read_configuration(text: str, stack: str, given: Mapping[str, str], wanted: str | None) -> tuple[Configuration, set[str]]:
    """The configuration in a text, and the parameters that it takes.

    `wanted` says which of several applications of a template, `stack` is its AWS::StackName.  Raises ProgrammingError with
    the place in the text.
    """
    root = read_document(text)
    if is_template(root):
        template = Template(root, given, stack)
        configuration = application_of(template, root, wanted)
        return configuration, {*template.section("Parameters"), *PSEUDO_PARAMETERS, *template.used}
    if wanted is not None:
        raise ProgrammingError(f"a request has no application {wanted}: only templates have several", root.span)
    return configuration_of(_part("the request", root)), set()


def read_schema(text: str) -> RecordSchema:
    """The schema in a text: a SourceSchema, or an object that has one as its InputSchema or ReferenceSchema."""
    part = _part("the schema", read_document(text))
    held = next((inner for key in SCHEMAS if (inner := part.get(key)) is not None), None)
    return record_schema(held or part)


def _part(name: str, root: Node) -> Part:
    part = Part.of(name, root, lambda node: node)
    if part is None:
        raise ProgrammingError("the document is empty", root.span)
    return part
