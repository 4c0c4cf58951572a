"""Running plans: the operators, a file each, the graph and its step, checkpoints."""
