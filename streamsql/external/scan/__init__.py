"""Reading external tables: which partitions, files and row groups may hold rows that are wanted, and those rows."""
