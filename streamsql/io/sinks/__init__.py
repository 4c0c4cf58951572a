"""Where rows go: files, folders of parts, tables, pipes, objects."""
