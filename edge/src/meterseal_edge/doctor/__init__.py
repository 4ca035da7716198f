"""What is wrong with an edge and what to do: read beside a running edge or a stopped one, and nothing is changed.

Each check asks the thing itself: the broker by a handshake, the registry by a question, the store by its own check. Not
covered: a fault that has no sign outside (a disk that lies about fsync), and whether a fixture's bench is right.

Read in this order: faults, modes, certificates, broker, trust, clock, disk, store, people, backups, fixtures, checkup.
"""
