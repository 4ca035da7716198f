"""Edge: from a parcel on MQTT to a signed promise to keep it.

Read in this order: settings, errors, events, keybook, site, presence, inbox, examine, examiners, ingest, quarantine,
refusal, store, log, custody, folder, mark, continuity, checkpoint, published, outbox, sightings, beacon, pace, clock,
granting, standing, offers, grant_line, update_line, certificates, dispatch, live_line, waiting, state, metrics,
log_lines, runs, people, pages, backup, nightly, surroundings, recount, restore, doctor, main.
"""
