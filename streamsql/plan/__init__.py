"""The plan of a query: what is to be done, as a tree of nodes, and the rules that improve it."""
