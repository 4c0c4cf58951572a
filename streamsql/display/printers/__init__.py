"""The forms of results, a file each: what turns the batches of one result into text."""
