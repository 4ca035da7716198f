"""The fixture: from pulses and meter frames to signed statements that are kept until somebody else keeps them.

Read in this order: errors, words, capability, settings, scanner, tray, positions, plan, order, flow, pulses, counters,
joined, meters, cjt188_bus, bench, attempt, result, standing, signer, cell, record, summary, aside, segment, promises,
keep, chronicle, checked, desk, station, panel, mqtt, connection, papers, link, belief, shelf, granted, question,
delivery, down, presence, absence, offer, slots, whole, update, vital, startup, main.

MicroPython, the subset that CPython understands too. One interpreter, eight loops: panel in, panel out, station,
offer, link, the live line, what the edge refused, and one that looks whether a run still takes its steps. No clock of
its own: time is the capture clock's ticks, and the registry's beacons.
"""

VERSION = "0.1.0"
