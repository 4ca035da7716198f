"""The edge's live page: one HTML file, server-sent events, JSON for machines. Read in this order: app, log_pages."""
