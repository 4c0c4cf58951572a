"""`python -m streamsql` is the `streamsql` command."""

from streamsql.cli import main

if __name__ == "__main__":
    main()
