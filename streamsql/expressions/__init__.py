"""Bound expressions: columns by position, typed, with their functions looked up; and how they are evaluated."""
