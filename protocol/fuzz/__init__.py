"""Fuzzing what strangers send. Read in this order: scan_target, statement_target, certificate_target, receipt_target,
status_target, mbus_target, cjt188_target, run.

Each target has `one(data)`, which raises on a finding, and `seeds()`. `make fuzz` runs them under atheris; the files
in corpus/ are kept from such runs, and `make test` gives each to its target again.
"""
