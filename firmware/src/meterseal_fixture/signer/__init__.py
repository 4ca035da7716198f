"""Signers, siblings behind one interface: `public_xy` (64 bytes) and `sign(message)` (64 bytes r || s).

Read in this order: curve_p256, software_p256, atecc608, csr, rotation.
"""
