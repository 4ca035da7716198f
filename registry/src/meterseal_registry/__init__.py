"""Registry: the public record. Statements enter, meters are decided, certificates are issued and answered for.

Read in this order: settings, errors, store, subtrees, catalogue, log, grants, entries, scopes, decisions,
certificates, status, beacons, record, lookup, bulk, pages, routes, main.
"""
