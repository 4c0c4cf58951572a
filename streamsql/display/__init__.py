"""What people see of the catalog and of results, wherever they look: names, completions, rows as text.

The shell, notebooks and the adapter for Harlequin stand on it; it knows neither a terminal nor a connection.
"""
