"""The fixture: from pulses and meter frames to signed statements that are kept until somebody else keeps them.

Read in this order: errors, words, capability, settings, scanner, tray, positions, plan, order, flow, pulses, joined,
meters, cjt188_bus, bench, attempt, result, signer, cell, record, summary, aside, segment, keep, chronicle, desk,
station, panel, mqtt, connection, link, belief, shelf, granted, question, delivery, down, presence, absence, offer,
slots, whole, update, startup, main.

MicroPython, the subset that CPython understands too. One interpreter, seven loops: panel in, panel out, station,
offer, link, the live line, and what the edge refused. No clock of its own: time is the capture clock's ticks, and the
registry's beacons.
"""

VERSION = "0.1.0"
