"""Every function there is: importing this fills the tables of `registry`."""

# ruff: noqa: F401

import streamsql.functions.operators  # first: where NULL fits several overloads, as in NULL * 2, the number's is meant

# isort: split
import streamsql.functions.aggregates.aggregate
import streamsql.functions.aggregates.analytic
import streamsql.functions.aggregates.athena
import streamsql.functions.aggregates.lists
import streamsql.functions.aggregates.maps
import streamsql.functions.aggregates.ordered
import streamsql.functions.aggregates.pairs
import streamsql.functions.aggregates.percentiles
import streamsql.functions.athena.array_sets
import streamsql.functions.athena.arrays
import streamsql.functions.athena.binary
import streamsql.functions.athena.formats
import streamsql.functions.athena.json
import streamsql.functions.athena.numbers
import streamsql.functions.athena.patterns
import streamsql.functions.athena.text
import streamsql.functions.athena.time
import streamsql.functions.athena.time_parts
import streamsql.functions.athena.time_zones
import streamsql.functions.bits
import streamsql.functions.comparisons
import streamsql.functions.conditional
import streamsql.functions.datetime
import streamsql.functions.formats
import streamsql.functions.intervals
import streamsql.functions.log.parsers
import streamsql.functions.numeric
import streamsql.functions.patterns
import streamsql.functions.periods
import streamsql.functions.redshift_formats
import streamsql.functions.regex
import streamsql.functions.rounding
import streamsql.functions.session
import streamsql.functions.string
import streamsql.functions.table_functions.explanation
import streamsql.functions.table_functions.forest
import streamsql.functions.table_functions.group_rank
import streamsql.functions.table_functions.hotspots
import streamsql.functions.table_functions.tumbling_items
import streamsql.functions.trigonometry
