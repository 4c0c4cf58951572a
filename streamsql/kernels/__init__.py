"""Loops over arrays, compiled where numpy has none: arrays in, arrays out. Nothing here knows Arrow, SQL or plans.

Importing a family (`forest`, `windows`, ...) compiles it, or loads it from numba's cache on disk, so a plan imports
only the families it uses.
"""
