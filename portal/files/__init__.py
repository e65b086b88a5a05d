"""Tables in and out: CSV and XLSX within limits, row errors, dry runs; one writer."""
