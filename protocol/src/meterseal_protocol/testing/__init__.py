"""A small world for tests: real keys, real grants, a model fixture that really signs, a log that really verifies.

Read in this order: world, runs, fixture, people, record, trial, looked, watched, suites, telegrams, log_vectors,
vectors, defects.

Public on purpose: the suites of protocol, edge and registry use it, and so may another implementation's. Nothing
here stands in for a service; it makes the statements that a service is tested with.
"""
