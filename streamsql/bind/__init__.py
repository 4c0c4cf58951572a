"""From statements to plans: what the names mean, which function is called, when groups are complete.  Every semantic error."""
