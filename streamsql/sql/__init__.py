"""SQL text to statements: the grammar's parser, and the trees that its rules stand for."""
