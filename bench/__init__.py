"""Measurements against peers, in the same run and as ratios: `python -m bench [NAME]`."""
