"""The log parsers, and what they read texts with."""
