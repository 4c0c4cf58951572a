"""Writing the files of external tables: one sink for CREATE TABLE AS, INSERT, UNLOAD and pumps."""
