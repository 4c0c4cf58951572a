"""Trees as short texts, for tests: `Add(a, Mul(b, 2))`, `STEP[s.ROWTIME, INTERVAL SECOND(10000)]`."""

from __future__ import annotations

from sqlglot import exp

_SILENT = ("this", "expression", "expressions")
"""Arguments that are shown without their name."""


def shape(node: object) -> str:
    """The class names, arguments and meta of a tree, with names and literals as they are written."""
    if isinstance(node, list):
        return f"[{', '.join(map(shape, node))}]"
    if not isinstance(node, exp.Expression):
        return str(node)
    text = _leaf(node) or f"{_name(node)}{_arguments(node)}"
    extras = [f"{key}={shape(node.meta[key])}" for key in ("over", "stagger", "within") if key in node.meta]
    extras += [f"{key}={node.meta[key]}" for key in ("form", "cursor", "index", "quoted") if key in node.meta]
    return f"{text}{{{', '.join(extras)}}}" if extras else text


def _leaf(node: exp.Expression) -> str | None:
    match node:
        case exp.Identifier():
            return f'"{node.this}"' if node.quoted else str(node.this)
        case exp.Column():
            return ".".join(shape(node.args[part]) for part in ("catalog", "db", "table", "this") if node.args.get(part))
        case exp.Star():
            return "*"
        case exp.Var():
            return str(node.this)
        case exp.Null():
            return "UNKNOWN" if str(node.meta["type"]) == "BOOLEAN" else "NULL"
        case exp.Boolean():
            return str(node.this).upper()
        case exp.Literal():
            return f"'{node.this}'" if node.is_string else str(node.this)
        case exp.Cast() if "value" in node.meta:
            return f"{node.meta['type']}({node.meta['value']})"
        case exp.Cast():
            return f"Cast({shape(node.this)}, {node.meta['type']})"
    return None


def _name(node: exp.Expression) -> str:
    return str(node.this) if isinstance(node, exp.Anonymous) else type(node).__name__


def _arguments(node: exp.Expression) -> str:
    if isinstance(node, exp.Anonymous):
        return shape(node.expressions)
    shown = []
    for key, value in node.args.items():
        if value is None or value == [] or key == "nulls_first":
            continue
        silent = key in _SILENT and not (key == "expressions" and isinstance(node, exp.Select))
        flat = isinstance(value, list) and silent
        text = shape(value)[1:-1] if flat else shape(value)
        shown.append(text if silent else f"{key}={text}")
    return f"({', '.join(shown)})"
