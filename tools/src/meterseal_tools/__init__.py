"""The hands: the `meterseal` command, one file a verb, and the bench simulator.

Read in this order: cli, one_sentence, keys, inspect, check, audit, evidence_folder, audit_state, audit_log,
audit_decisions, mbus, cjt188, rules, plan, grants, grant, log, proof, people, vectors, broker, world, scenario,
services, stage, report, demo, sim, rig, desk_board, firmware, boards, flash, provision, verify_board, edge, edge_site,
edge_doctor, edge_acts, edge_store, edge_down, edge_people, load, factory.
"""
