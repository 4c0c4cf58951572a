"""The engine: statements in, a running graph and its rows out."""
