"""The grammar of the dialect, as Lark files.  Ships as the package `streamsql.grammar`."""
