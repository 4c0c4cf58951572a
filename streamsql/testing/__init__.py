"""`streamsql test`: SQL tests of applications, on a virtual clock."""
