"""The portable core: the same files on a MicroPython fixture and on a CPython server.

Read in this order: labels, errors, encode, scan, suites, digest, sign1, statement, kinds, point, chain, custody,
tree, receipt, capture, modbus, telegram.

Imports nothing but hashlib. Integers, bytes, text, lists and maps in and out; no clock, no file, no socket.
"""
