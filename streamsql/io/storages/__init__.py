"""Where files lie: the local file system and S3."""
