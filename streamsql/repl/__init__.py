"""Statements from a person or a pipe.

`shell` runs statements and commands upon a connection; `batch` feeds the shell from
`-c` and stdin, `session` from a terminal.  prompt_toolkit is imported in `session` and what it alone uses.
"""
