"""The application of a CloudFormation template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streamsql.configuration.document import Node, closest
from streamsql.configuration.intrinsics import Resolver
from streamsql.configuration.model import Configuration
from streamsql.configuration.part import Part
from streamsql.configuration.request import configuration_of
from streamsql.configuration.template import Template, members, text_of
from streamsql.errors import Error, ProgrammingError

APPLICATIONS = ("AWS::KinesisAnalytics::Application", "AWS::KinesisAnalyticsV2::Application")
OUTPUTS = ("AWS::KinesisAnalytics::ApplicationOutput", "AWS::KinesisAnalyticsV2::ApplicationOutput")
REFERENCES = (
    "AWS::KinesisAnalytics::ApplicationReferenceDataSource",
    "AWS::KinesisAnalyticsV2::ApplicationReferenceDataSource",
)


def is_template(root: Node) -> bool:
    """Whether a document is a template and no request."""
    return isinstance(root.value, dict) and "Resources" in root.value


def application_of(template: Template, root: Node, wanted: str | None) -> Configuration:
    """The one application of a template, or that of the logical id `wanted`."""
    reader = _Reader(template)
    applications = dict(reader.parts(*APPLICATIONS))
    if wanted is not None and wanted not in applications:
        raise ProgrammingError(f"there is no application {wanted}", root.span, closest(wanted, applications))
    if not applications:
        raise ProgrammingError(f"no resource is of type {' or '.join(APPLICATIONS)}", root.span)
    if wanted is None and len(applications) > 1:
        names = ", ".join(applications)
        raise ProgrammingError(f"there are {len(applications)} applications: {names}", root.span, "FILE#NAME says which")
    name = wanted or next(iter(applications))
    application = applications[name]
    outputs = [part.need("Output") for part in reader.belonging(name, application, OUTPUTS)]
    references = [part.need("ReferenceDataSource") for part in reader.belonging(name, application, REFERENCES)]
    return configuration_of(application, outputs, references, name)


class _Reader:
    """Reads the resources that a template makes."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._resolver = Resolver(template)

    def parts(self, *types: str) -> Iterator[tuple[str, Part]]:
        """The properties of the resources of some types whose conditions hold, by logical ids."""
        for name, node in self._template.resources(*types):
            resource: Mapping[str, Node] = members(node)
            condition = resource.get("Condition")
            if condition is not None and not self._resolver.holds(text_of(condition), condition):
                continue
            properties = resource.get("Properties")
            part = None if properties is None else Part.of(name, properties, self._resolver.resolve)
            if part is None:
                raise ProgrammingError(f"resource {name} has no Properties", node.span)
            yield name, part

    def belonging(self, name: str, application: Part, types: tuple[str, ...]) -> Iterator[Part]:
        """The resources of some types that say that they belong to an application."""
        given = application.get("ApplicationName")
        own = {name} if given is None else {name, given.text()}
        for _, part in self.parts(*types):
            try:
                owner = part.need("ApplicationName").text()
            except Error:
                if len(dict(self.parts(*APPLICATIONS))) > 1:
                    raise
                owner = name
            if owner in own:
                yield part
