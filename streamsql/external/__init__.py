"""External tables: what the DDL of Athena and Redshift Spectrum declares, over files under prefixes of S3 or of a directory."""
