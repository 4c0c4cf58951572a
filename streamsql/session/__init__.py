"""A connection's engine in a thread of its own, with its inputs and outputs, and what is kept under its path."""
