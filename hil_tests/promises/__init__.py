"""One file a promise of the design; every test runs on whatever rig `--rig` names."""
