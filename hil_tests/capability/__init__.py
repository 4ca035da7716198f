"""What a device under test can do, whatever it is made of. Read in this order: dut."""
