"""The operators of running plans, a file each, and the pieces that they are made of.  No operator knows another."""
