"""JSON: its records as rows.  Lines by kernels, by Arrow's reader, or one by one."""
