"""Tables in and out: CSV and XLSX reading with limits, row errors, dry runs; one writer for exports."""
