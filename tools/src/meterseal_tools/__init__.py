"""The hands: the `meterseal` command, one file a verb, and the bench simulator.

Read in this order: cli, keys, inspect, check, audit, evidence_folder, mbus, broker, world, scenario, services,
stage, report, demo, sim, rig.
"""
