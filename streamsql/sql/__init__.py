"""SQL text to statements: the grammar's parser, the trees it builds, and their binding to names and types."""
