"""Where rows come from and where they go.  Nothing here knows SQL.

`open` gives a source or a sink for a URI; `formats` says how text and tables become rows; `sinks` are where rows go, `storages`
where files lie, `servers` what foreign streams can be of.
"""
