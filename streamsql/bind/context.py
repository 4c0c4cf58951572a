"""What the expressions of a statement can use that is not in FROM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streamsql.bind.parameters import Parameters
from streamsql.catalog import Function


@dataclass(frozen=True, slots=True)
class Context:
    """The values of a statement's placeholders, and the functions of the catalog.

    `within` are the functions whose bodies are being bound, outermost first.  `tables_alone`: the query reads tables and no
    stream, so its numbers are those of Athena: AVG of whole numbers and a literal with a point are DOUBLE.
    """

    parameters: Parameters = ()
    functions: Mapping[str, Sequence[Function]] = field(default_factory=dict)
    within: tuple[Function, ...] = ()
    tables_alone: bool = False
