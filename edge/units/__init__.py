"""What `make units` runs inside a machine of its own: inside.py. scripts/units boots it."""
