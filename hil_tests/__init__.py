"""The proof on a device: promises tested from outside only, by serial line, pulses, MQTT and power.

Read in this order: capability, driver, rigs, site, conftest, promises.
"""
