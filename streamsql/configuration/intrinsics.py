"""The intrinsic functions of templates.  A new one is one function and one entry in `FUNCTIONS`."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamsql.configuration.document import Node, closest
from streamsql.configuration.template import Template, members, unknown
from streamsql.errors import ProgrammingError, not_supported

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
_NO_VALUE = "AWS::NoValue"
_DEEPEST = 100
"""Functions within one another, beyond which a template must contain itself."""


class Resolver:
    """Resolves the values of one template."""

    def __init__(self, template: Template) -> None:
        self.template = template
        self._depth = 0

    def resolve(self, node: Node) -> Node | None:
        """The value that a node stands for, not that of what is within it; None for AWS::NoValue."""
        name, argument = function_of(node)
        if name is None or argument is None:
            return node
        function = FUNCTIONS.get(name)
        if function is None:
            raise not_supported(f"the function {name}", node.span, f"those that are: {', '.join(FUNCTIONS)}")
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise ProgrammingError(f"{name} stands for itself", node.span)
            result = function(self, argument, node)
            return None if result is None else self.resolve(result)
        finally:
            self._depth -= 1

    def text(self, node: Node) -> str:
        """The text that a node stands for."""
        resolved = self.resolve(node)
        if resolved is None or isinstance(resolved.value, (dict, list)) or resolved.value is None:
            raise ProgrammingError("this must be text", node.span)
        return str(resolved.value).lower() if isinstance(resolved.value, bool) else resolved.value

    def elements(self, node: Node) -> list[Node]:
        """The elements of the list that a node stands for."""
        resolved = self.resolve(node)
        if resolved is None or not isinstance(resolved.value, list):
            raise ProgrammingError("this must be a list", node.span)
        return [element for element in resolved.value if self.resolve(element) is not None]

    def arguments(self, node: Node, count: int) -> list[Node]:
        """The arguments of a function that takes so many."""
        if not isinstance(node.value, list) or len(node.value) != count:
            raise ProgrammingError(f"this function takes a list of {count} values", node.span)
        return node.value

    def is_true(self, node: Node) -> bool:
        """Whether a condition holds."""
        name, argument = next(iter(members(node).items()), ("", node))
        condition = CONDITIONS.get(name)
        if condition is None:
            raise ProgrammingError("this is no condition", node.span, f"conditions are {', '.join(CONDITIONS)}")
        self._depth += 1
        try:
            if self._depth > _DEEPEST:
                raise ProgrammingError("this condition stands for itself", node.span)
            return condition(self, argument)
        finally:
            self._depth -= 1

    def holds(self, name: str, node: Node) -> bool:
        """Whether the condition of this name holds."""
        known = self.template.section("Conditions")
        if name not in known:
            raise ProgrammingError(f"there is no condition {name}", node.span, closest(name, known))
        return self.is_true(known[name])

    def attribute(self, name: str, node: Node) -> Node:
        """What `Resource.Attribute` is: of a resource that does not exist yet, only the ARN can be made up."""
        template = self.template
        if name in template.given:
            template.used.add(name)
            return Node(template.given[name], node.span)
        resource, _, attribute = name.partition(".")
        resources = template.section("Resources")
        if resource not in resources:
            raise unknown(f"there is no resource {resource}", name, node, closest(resource, resources))
        arn = template.arn(resource, self.text(template.name_of(resource))) if attribute == "Arn" else None
        if arn is None:
            raise unknown(f"{name} is only known when the resource is made", name, node, None)
        return Node(arn, node.span)


def function_of(node: Node) -> tuple[str | None, Node | None]:
    """The function that a node calls and its argument, if it calls one."""
    if isinstance(node.value, dict) and len(node.value) == 1:
        ((name, argument),) = node.value.items()
        if name == "Ref" or name.startswith("Fn::"):
            return name, argument
    return None, None


def _ref(resolver: Resolver, argument: Node, node: Node) -> Node | None:
    name = resolver.text(argument)
    return None if name == _NO_VALUE else resolver.template.value(name, node)


def _get_att(resolver: Resolver, argument: Node, node: Node) -> Node:
    if isinstance(argument.value, list):
        return resolver.attribute(".".join(map(resolver.text, argument.value)), node)
    return resolver.attribute(resolver.text(argument), node)


def _sub(resolver: Resolver, argument: Node, node: Node) -> Node:
    own: dict[str, Node] = {}
    if isinstance(argument.value, list):
        text_node, variables = resolver.arguments(argument, 2)
        own = dict(members(variables))
    else:
        text_node = argument

    def replaced(match: re.Match[str]) -> str:
        literal, name = match[1], match[2].strip()
        if literal:
            return f"${{{match[2]}}}"
        if name in own:
            return resolver.text(own[name])
        found = resolver.attribute(name, text_node) if "." in name else resolver.template.value(name, text_node)
        return resolver.text(found)

    if not isinstance(text_node.value, str):
        raise ProgrammingError("Fn::Sub takes a text, or a text and its variables", text_node.span)
    return Node(_VARIABLE.sub(replaced, text_node.value), text_node.span)


def _join(resolver: Resolver, argument: Node, node: Node) -> Node:
    between, parts = resolver.arguments(argument, 2)
    joined = between.value if isinstance(between.value, str) else ""
    return Node(joined.join(map(resolver.text, resolver.elements(parts))), node.span)


def _select(resolver: Resolver, argument: Node, node: Node) -> Node:
    index, values = resolver.arguments(argument, 2)
    number, elements = resolver.text(index), resolver.elements(values)
    if not number.isdigit() or int(number) >= len(elements):
        raise ProgrammingError(f"Fn::Select: there is no element {number} among {len(elements)}", node.span)
    return elements[int(number)]


def _split(resolver: Resolver, argument: Node, node: Node) -> Node:
    between, text = resolver.arguments(argument, 2)
    if not isinstance(between.value, str) or not between.value:
        raise ProgrammingError("Fn::Split needs what to split at", node.span)
    return Node([Node(part, node.span) for part in resolver.text(text).split(between.value)], node.span)


def _find_in_map(resolver: Resolver, argument: Node, node: Node) -> Node:
    names = [resolver.text(key) for key in resolver.arguments(argument, 3)]
    found = Node(dict(resolver.template.section("Mappings")), node.span)
    for number, name in enumerate(names):
        known = members(found)
        if name not in known:
            what = f"no mapping {name}" if number == 0 else f"no {name} in mapping {names[0]}"
            raise ProgrammingError(f"Fn::FindInMap: there is {what}", node.span, closest(name, known))
        found = known[name]
    return found


def _if(resolver: Resolver, argument: Node, node: Node) -> Node:
    condition, then, otherwise = resolver.arguments(argument, 3)
    return then if resolver.holds(resolver.text(condition), condition) else otherwise


def _import_value(resolver: Resolver, argument: Node, node: Node) -> Node:
    name = resolver.text(argument)
    template = resolver.template
    if name in template.given:
        template.used.add(name)
        return Node(template.given[name], node.span)
    raise unknown(f"{name} is a value of another stack", name, node, None)


def _parts(argument: Node) -> list[Node]:
    """The conditions that a condition puts together."""
    if not isinstance(argument.value, list):
        raise ProgrammingError("this must be a list of conditions", argument.span)
    return argument.value


FUNCTIONS: dict[str, Callable[[Resolver, Node, Node], Node | None]] = {
    "Ref": _ref,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
"""From the resolver, the argument and the whole call: the value, which may be a call again; None for no value at all."""

CONDITIONS: dict[str, Callable[[Resolver, Node], bool]] = {
    "Condition": lambda resolver, name: resolver.holds(resolver.text(name), name),
    "Fn::And": lambda resolver, all_: all(map(resolver.is_true, _parts(all_))),
    "Fn::Equals": lambda resolver, both: len(set(map(resolver.text, resolver.arguments(both, 2)))) == 1,
    "Fn::Not": lambda resolver, one: not resolver.is_true(resolver.arguments(one, 1)[0]),
    "Fn::Or": lambda resolver, some: any(map(resolver.is_true, _parts(some))),
}
"""From the resolver and the argument: whether it is true."""
