"""Running plans: operators, a file each, in a graph; the step that lets rows through it; checkpoints."""
