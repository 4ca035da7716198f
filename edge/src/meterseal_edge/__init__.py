"""Edge: from a parcel on MQTT to a signed promise to keep it.

Read in this order: settings, errors, events, keybook, inbox, ingest, quarantine, store, log, custody, checkpoint,
outbox, beacon, live_line, state, pages, main.
"""
