"""Aggregate and analytic functions: the records, and what keeps their values over groups, sliding windows and frames."""
