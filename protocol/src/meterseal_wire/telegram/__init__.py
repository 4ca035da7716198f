"""Meters' telegrams, bytes to exact values: M-Bus (EN 13757-2 link layer, EN 13757-3 application layer) and CJ/T 188.

Read in this order: errors, mbus, mbus_units, mbus_value, mbus_record, mbus_telegram, mbus_slave, cjt188_errors, cjt188,
cjt188_reading, cjt188_slave.

Imports nothing. A telegram is a stranger's bytes: it decodes to integers and text or ends in one TelegramError.
"""
