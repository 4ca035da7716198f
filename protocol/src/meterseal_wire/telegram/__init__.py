"""Meters' telegrams: M-Bus (EN 13757-2 link layer, EN 13757-3 application layer), bytes to exact values.

Read in this order: errors, mbus, mbus_units, mbus_value, mbus_record, mbus_telegram, mbus_slave.

Imports nothing. A telegram is a stranger's bytes: it decodes to integers and text or ends in one MBusError.
"""
