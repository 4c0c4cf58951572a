"""The line in which the user types: how it begins, and how it is wiped."""

PROMPT = "streamsql> "
ERASE_LINE = "\r\x1b[K"
