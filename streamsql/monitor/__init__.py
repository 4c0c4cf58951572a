"""A look at a running application from outside: numbers, a live table on a terminal, an endpoint for Prometheus."""
