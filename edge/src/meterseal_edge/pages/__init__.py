"""The edge's pages: files as they lie, server-sent events, JSON for machines.

Read in this order: statics, live, run_pages, app, door, log_pages, people_pages.
"""
