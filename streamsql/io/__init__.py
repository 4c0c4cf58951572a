"""Where rows come from and where they go: sources, sinks, formats, files.  Nothing here knows SQL."""
