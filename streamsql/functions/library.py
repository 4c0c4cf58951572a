"""Every function there is: importing this fills the tables of `registry`."""

from streamsql.functions import (
    aggregate,
    analytic,
    conditional,
    datetime,
    explanation,
    forest,
    formats,
    group_rank,
    hotspots,
    intervals,
    numeric,
    operators,
    patterns,
    regex,
    string,
    tumbling_items,
)

__all__ = [
    "aggregate",
    "analytic",
    "conditional",
    "datetime",
    "explanation",
    "forest",
    "formats",
    "group_rank",
    "hotspots",
    "intervals",
    "numeric",
    "operators",
    "patterns",
    "regex",
    "string",
    "tumbling_items",
]
