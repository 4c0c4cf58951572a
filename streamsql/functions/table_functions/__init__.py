"""Functions of whole streams: TABLE(name(CURSOR(...), ...))."""
