"""The bench simulator: water or gas that flows, meters that err as told, and the three serial lines of a fixture.

Read in this order: errors, clock, flow, pulses, climate, catalogue, meter, specimens, bench, part, front_end, slave,
bus, cjt188, lines, panel, fixture, rig, repl_chip, repl_board. The captured telegrams lie in `telegrams/` with their
licence.

Physics that decides where a pulse edge falls is done in whole numbers and fractions: the same seed and the same
commands at the same ticks give the same edges. What leaves the simulator are real bytes on real ptys. A fixture
cannot tell the rig from a bench except by how fast the capture clock runs.
"""
