"""The integers of one measured point, in the order in which they are signed (design section 5).

Raw counts and ticks only: whoever decides computes the error again. Temperatures are mK above 273 150 mK,
pressures absolute in units of 10 Pa, flows in mL/h, ticks of the capture clock named in the attempt.
"""

# fmt: off
FIELDS = (
    "point",              # 0: index in the plan, from 0
    "repeat",             # 1: from 0
    "method",             # 2: which raw form follows; see METHODS
    "meter_counts",       # 3: whole pulse intervals of the meter between its first and last counted edge
    "meter_ticks",        # 4: capture ticks between those edges
    "ref_counts",         # 5: the same for the reference meter
    "ref_ticks",          # 6
    "register_diff",      # 7: end minus start register in register units; 0 where it was not read at this point
    "meter_temp_mk",      # 8: at the meter, mK above 273 150
    "ref_temp_mk",        # 9: at the reference
    "meter_pressure_10pa",  # 10: absolute
    "ref_pressure_10pa",  # 11
    "duration_ms",        # 12: gates open, on the capture clock
    "flow_min_ml_per_h",  # 13: least flow seen while counting; static: once it was steady
    "flow_max_ml_per_h",  # 14
)
# fmt: on
(
    POINT,
    REPEAT,
    METHOD,
    METER_COUNTS,
    METER_TICKS,
    REF_COUNTS,
    REF_TICKS,
    REGISTER_DIFF,
    METER_TEMP_MK,
    REF_TEMP_MK,
    METER_PRESSURE_10PA,
    REF_PRESSURE_10PA,
    DURATION_MS,
    FLOW_MIN_ML_PER_H,
    FLOW_MAX_ML_PER_H,
) = range(15)

# What the reference columns hold by method; the meter's are its pulses, or its register where it has none (counts 0).
REFERENCE_METER = 1  # counts and ticks of a reference meter between its edges: double chronometry, ISO 7278-3
STATIC = 2  # counts of a reference meter from standing to standing; no ticks
VOLUMETRIC = 3  # steps of a collecting tank's scale; no ticks
GRAVIMETRIC = 4  # milligrams that a balance shows more at the end; no ticks
BELL_PROVER = 5  # gas: steps of the bell's scale; no ticks
CRITICAL_NOZZLE = (
    6  # gas: ticks for which the nozzles blew; no counts. The volume is that of a second at 20 degrees
)
METHODS = {
    REFERENCE_METER: "reference meter with pulse interpolation",
    STATIC: "static start and stop against a reference meter",
    VOLUMETRIC: "collecting tank",
    GRAVIMETRIC: "balance",
    BELL_PROVER: "bell prover",
    CRITICAL_NOZZLE: "critical nozzle",
}
WATER_METHODS = (REFERENCE_METER, STATIC, VOLUMETRIC, GRAVIMETRIC)
GAS_METHODS = (REFERENCE_METER, STATIC, BELL_PROVER, CRITICAL_NOZZLE)

ZERO_CELSIUS_MK = 273150
MAY_BE_NEGATIVE = (REGISTER_DIFF, METER_TEMP_MK, REF_TEMP_MK)
