"""Back ends: how each kind of device is reached. Read in this order: unix."""
