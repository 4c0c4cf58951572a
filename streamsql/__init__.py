"""StreamSQL runs Amazon Kinesis Data Analytics SQL applications anywhere."""

__version__ = "0.1.0"
