"""Edge: from a parcel on MQTT to a signed promise to keep it.

Read in this order: settings, errors, events, keybook, inbox, examine, examiners, ingest, quarantine, store, log,
custody, folder, mark, continuity, checkpoint, published, outbox, beacon, live_line, state, metrics, log_lines, runs,
pages, backup, recount, restore, main.
"""
