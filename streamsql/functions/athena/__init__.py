"""Functions that Athena and Redshift have, beside those of the dialect."""
