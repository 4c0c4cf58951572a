"""A CloudFormation template: its parameters, conditions and resources, and what can be known of them before they exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streamsql.configuration.document import Node, closest
from streamsql.errors import Error, ProgrammingError

PSEUDO_PARAMETERS = {
    "AWS::AccountId": "000000000000",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What stands for the cloud where no `--parameter` says otherwise; AWS::StackName is the file's name."""


@dataclass(frozen=True, slots=True)
class Arn:
    """Which property names a resource of a type, and how its ARN ends."""

    name: str
    service: str
    form: str
    is_global: bool = False


_APPLICATION = Arn("ApplicationName", "kinesisanalytics", "application/{}")

ARNS: Mapping[str, Arn] = {
    "AWS::IAM::Role": Arn("RoleName", "iam", "role/{}", is_global=True),
    "AWS::Kinesis::Stream": Arn("Name", "kinesis", "stream/{}"),
    "AWS::KinesisAnalytics::Application": _APPLICATION,
    "AWS::KinesisAnalyticsV2::Application": _APPLICATION,
    "AWS::KinesisFirehose::DeliveryStream": Arn("DeliveryStreamName", "firehose", "deliverystream/{}"),
    "AWS::Lambda::Function": Arn("FunctionName", "lambda", "function:{}"),
    "AWS::S3::Bucket": Arn("BucketName", "s3", "{}", is_global=True),
    "AWS::Serverless::Function": Arn("FunctionName", "lambda", "function:{}"),
}
"""The resources whose ARNs applications use."""


class Template:
    """A template and the values that are given for it."""

    def __init__(self, root: Node, given: Mapping[str, str], stack: str) -> None:
        self._root = root
        self.given = given
        self.used: set[str] = set()
        """The given values that something asked for."""
        self._pseudo = {**PSEUDO_PARAMETERS, "AWS::StackName": stack, "AWS::StackId": stack}

    def section(self, name: str) -> Mapping[str, Node]:
        """The members of Parameters, Mappings, Conditions or Resources."""
        assert isinstance(self._root.value, dict)
        node = self._root.value.get(name)
        return members(node) if node is not None and node.value is not None else {}

    def resources(self, *types: str) -> Iterator[tuple[str, Node]]:
        """The resources of some types, by their logical ids."""
        for name, node in self.section("Resources").items():
            if text_of(members(node).get("Type")) in types:
                yield name, node

    def value(self, name: str, node: Node) -> Node:
        """What `Ref` gives: of a parameter its value, of a resource its name."""
        if name in self.given:
            self.used.add(name)
            return Node(self._typed(name, self.given[name], node), node.span)
        if name in self._pseudo:
            return Node(self._pseudo[name], node.span)
        if name in self.section("Parameters"):
            return self._default(name, node)
        if name in self.section("Resources"):
            return self.name_of(name)
        known = [*self.section("Parameters"), *self.section("Resources")]
        raise unknown(f"there is no parameter or resource {name}", name, node, closest(name, known))

    def name_of(self, resource: str) -> Node:
        """The property that names a resource; its logical id where there is none."""
        node = self.section("Resources")[resource]
        arn = ARNS.get(self.type_of(resource))
        properties = members(node).get("Properties")
        named = None if arn is None or properties is None else members(properties).get(arn.name)
        return Node(resource, node.span) if named is None else named

    def type_of(self, resource: str) -> str:
        """The type of a resource, as in AWS::Kinesis::Stream."""
        return text_of(members(self.section("Resources")[resource]).get("Type"))

    def _default(self, name: str, node: Node) -> Node:
        declared = members(self.section("Parameters")[name])
        default = declared.get("Default")
        if text_of(declared.get("Type")).startswith("AWS::SSM::"):
            raise unknown(f"the value of parameter {name} is kept in the Parameter Store", name, node, None)
        if default is None or not isinstance(default.value, (str, bool)):
            raise unknown(f"parameter {name} has no default", name, node, None)
        text = str(default.value).lower() if isinstance(default.value, bool) else default.value
        return Node(self._typed(name, text, node), node.span)

    def _typed(self, name: str, text: str, node: Node) -> str | list[Node]:
        """A parameter's value by its type: lists are written with commas."""
        declared = self.section("Parameters").get(name)
        type_ = "" if declared is None else text_of(members(declared).get("Type"))
        if type_ != "CommaDelimitedList" and not type_.startswith("List<"):
            return text
        return [Node(element.strip(), node.span) for element in text.split(",")]

    def arn(self, resource: str, name: str) -> str | None:
        """A stand-in for the ARN of a resource of this name; None for a type whose ARNs have no form known here."""
        arn = ARNS.get(self.type_of(resource))
        if arn is None:
            return None
        self.used |= self.given.keys() & PSEUDO_PARAMETERS.keys()
        values = {**self._pseudo, **self.given}
        region = "" if arn.is_global else values["AWS::Region"]
        account = "" if arn.service == "s3" else values["AWS::AccountId"]
        return f"arn:{values['AWS::Partition']}:{arn.service}:{region}:{account}:{arn.form.format(name)}"


def unknown(what: str, parameter: str, node: Node, hint: str | None) -> Error:
    """The error for something whose value the template does not say."""
    option = f"--parameter {parameter}=VALUE gives it"
    return ProgrammingError(what, node.span, f"{hint} Otherwise {option}" if hint else option)


def members(node: Node) -> Mapping[str, Node]:
    """The members of an object."""
    if not isinstance(node.value, dict):
        raise ProgrammingError("an object with members is expected here", node.span)
    return node.value


def text_of(node: Node | None) -> str:
    """A text that stands in a template as it is, empty where there is none."""
    return node.value if node is not None and isinstance(node.value, str) else ""
