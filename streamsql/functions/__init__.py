"""The functions of the dialect, as records of one table (`registry.py`), a file a family; `library.py` names the files."""
