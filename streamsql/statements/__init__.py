"""What a user can say, one frozen dataclass a statement.

A statement holds what was said and knows nothing of what it does: that is in `engine`.
"""
