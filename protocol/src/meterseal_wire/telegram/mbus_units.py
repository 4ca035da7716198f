"""What M-Bus codes mean: value information, its extensions, media, units of the fixed structure.

Tables of EN 13757-3 (clause 6.4: primary VIF, FD and FB extensions; 6.5: combinable VIFE). Names and base units are
those that libmbus prints. Codes that it calls reserved and that the editions of 2013 and 2018 have assigned carry
the newer meaning here. Months and years of durations count as the mean month 2 629 743.83 s and year 31 556 926 s,
as in libmbus.

A row is (first code, how many codes, power of ten of the first, unit, quantity); each next code is ten times more.
A row of `DURATIONS` is (first code, which steps, unit, quantity).
"""

# fmt: off
PRIMARY = (
    (0x00, 8, -3, "Wh", "Energy"),
    (0x08, 8, 0, "J", "Energy"),
    (0x10, 8, -6, "m^3", "Volume"),
    (0x18, 8, -3, "kg", "Mass"),
    (0x28, 8, -3, "W", "Power"),
    (0x30, 8, 0, "J/h", "Power"),
    (0x38, 8, -6, "m^3/h", "Volume flow"),
    (0x40, 8, -7, "m^3/min", "Volume flow"),
    (0x48, 8, -9, "m^3/s", "Volume flow"),
    (0x50, 8, -3, "kg/h", "Mass flow"),
    (0x58, 4, -3, "°C", "Flow temperature"),
    (0x5C, 4, -3, "°C", "Return temperature"),
    (0x60, 4, -3, "K", "Temperature difference"),
    (0x64, 4, -3, "°C", "External temperature"),
    (0x68, 4, -3, "bar", "Pressure"),
    (0x6C, 1, 0, "-", "Time point (date)"),
    (0x6D, 1, 0, "-", "Time point (date & time)"),
    (0x6E, 1, 0, "Units for H.C.A.", "H.C.A."),
    (0x78, 1, 0, "", "Fabrication No"),
    (0x79, 1, 0, "", "(Enhanced) Identification"),
    (0x7A, 1, 0, "", "Bus Address"),
    (0x7E, 1, 0, "", "Any VIF"),
    (0x7F, 1, 0, "", "Manufacturer specific"),
)
PRIMARY_DURATIONS = (
    (0x20, "smhd", "On time"),
    (0x24, "smhd", "Operating time"),
    (0x70, "smhd", "Averaging Duration"),
    (0x74, "smhd", "Actuality Duration"),
)

# After VIF FD.
EXTENSION_FD = (
    (0x00, 4, -3, "Currency units", "Credit"),
    (0x04, 4, -3, "Currency units", "Debit"),
    (0x08, 1, 0, "", "Access Number (transmission count)"),
    (0x09, 1, 0, "", "Medium"),
    (0x0A, 1, 0, "", "Manufacturer"),
    (0x0B, 1, 0, "", "Parameter set identification"),
    (0x0C, 1, 0, "", "Model / Version"),
    (0x0D, 1, 0, "", "Hardware version"),
    (0x0E, 1, 0, "", "Firmware version"),
    (0x0F, 1, 0, "", "Software version"),
    (0x10, 1, 0, "", "Customer location"),
    (0x11, 1, 0, "", "Customer"),
    (0x12, 1, 0, "", "Access Code User"),
    (0x13, 1, 0, "", "Access Code Operator"),
    (0x14, 1, 0, "", "Access Code System Operator"),
    (0x15, 1, 0, "", "Access Code Developer"),
    (0x16, 1, 0, "", "Password"),
    (0x17, 1, 0, "", "Error flags"),
    (0x18, 1, 0, "", "Error mask"),
    (0x19, 1, 0, "", "Security key"),
    (0x1A, 1, 0, "", "Digital Output"),
    (0x1B, 1, 0, "", "Digital Input"),
    (0x1C, 1, 0, "Baud", "Baudrate"),
    (0x1D, 1, 0, "Bittimes", "Response delay time"),
    (0x1E, 1, 0, "", "Retry"),
    (0x1F, 1, 0, "", "Remote control"),
    (0x20, 1, 0, "", "First storage # for cyclic storage"),
    (0x21, 1, 0, "", "Last storage # for cyclic storage"),
    (0x22, 1, 0, "", "Size of storage block"),
    (0x23, 1, 0, "", "Descriptor for tariff and device"),
    (0x2A, 1, 0, "", "Operator specific data"),
    (0x2B, 1, 0, "s", "Time point second"),
    (0x30, 1, 0, "-", "Start (date/time) of tariff"),
    (0x3A, 1, 0, "", "Dimensionless"),
    (0x3B, 1, 0, "", "Data container for wireless M-Bus protocol"),
    (0x40, 16, -9, "V", "Voltage"),
    (0x50, 16, -12, "A", "Current"),
    (0x60, 1, 0, "", "Reset counter"),
    (0x61, 1, 0, "", "Cumulation counter"),
    (0x62, 1, 0, "", "Control signal"),
    (0x63, 1, 0, "", "Day of week"),
    (0x64, 1, 0, "", "Week number"),
    (0x65, 1, 0, "", "Time point of day change"),
    (0x66, 1, 0, "", "State of parameter activation"),
    (0x67, 1, 0, "", "Special supplier information"),
    (0x70, 1, 0, "", "Date and time of battery change"),
    (0x71, 1, 0, "dBm", "RF level"),
    (0x72, 1, 0, "", "Daylight saving"),
    (0x73, 1, 0, "", "Listening window management"),
    (0x74, 1, 0, "days", "Remaining battery life time"),
    (0x75, 1, 0, "", "Number of times the meter was stopped"),
    (0x76, 1, 0, "", "Data container for manufacturer specific protocol"),
)
FD_DURATIONS = (
    (0x24, "smhdMY", "Storage interval"),
    (0x2C, "smhd", "Duration since last readout"),
    (0x31, "mhd", "Duration of tariff"),
    (0x34, "smhdMY", "Period of tariff"),
    (0x3C, "smhd", "Period of nominal data transmissions"),
    (0x68, "hdMY", "Duration since last cumulation"),
    (0x6C, "hdMY", "Operating time battery"),
)

# After VIF FB.
EXTENSION_FB = (
    (0x00, 2, 5, "Wh", "Energy"),
    (0x02, 2, 3, "varh", "Reactive energy"),
    (0x04, 2, 3, "VAh", "Apparent energy"),
    (0x08, 2, 8, "J", "Energy"),
    (0x0C, 4, 5, "cal", "Energy"),
    (0x10, 2, 2, "m^3", "Volume"),
    (0x14, 4, 0, "var", "Reactive power"),
    (0x18, 2, 5, "kg", "Mass"),
    (0x1A, 2, -1, "%", "Relative humidity"),
    (0x20, 1, 0, "feet^3", "Volume"),
    (0x21, 1, -1, "feet^3", "Volume"),
    (0x22, 2, -1, "American gallon", "Volume"),
    (0x24, 1, -3, "American gallon/min", "Volume flow"),
    (0x25, 1, 0, "American gallon/min", "Volume flow"),
    (0x26, 1, 0, "American gallon/h", "Volume flow"),
    (0x28, 2, 5, "W", "Power"),
    (0x2A, 1, -1, "°", "Phase U-U"),
    (0x2B, 1, -1, "°", "Phase U-I"),
    (0x2C, 4, -3, "Hz", "Frequency"),
    (0x30, 2, 8, "J/h", "Power"),
    (0x34, 4, 0, "VA", "Apparent power"),
    (0x58, 4, -3, "°F", "Flow temperature"),
    (0x5C, 4, -3, "°F", "Return temperature"),
    (0x60, 4, -3, "°F", "Temperature difference"),
    (0x64, 4, -3, "°F", "External temperature"),
    (0x70, 4, -3, "°F", "Cold / Warm Temperature Limit"),
    (0x74, 4, -3, "°C", "Cold / Warm Temperature Limit"),
    (0x78, 8, -3, "W", "Cumul count max power"),
)
TABLES = {None: (PRIMARY, PRIMARY_DURATIONS), 0xFD: (EXTENSION_FD, FD_DURATIONS), 0xFB: (EXTENSION_FB, ())}
RESERVED = ("Reserved", "Reserved", 1, 0)

# Multiplier and power of ten that make seconds.
STEPS = {"s": (1, 0), "m": (60, 0), "h": (3600, 0), "d": (86400, 0), "M": (262974383, -2), "Y": (31556926, 0)}

# Combinable VIFE 00..1F in an answer: what the meter could not do with this record (EN 13757-3, record errors).
RECORD_ERRORS = {
    0x01: "too many DIFEs", 0x02: "storage number not implemented", 0x03: "unit number not implemented",
    0x04: "tariff number not implemented", 0x05: "function not implemented", 0x06: "data class not implemented",
    0x07: "data size not implemented", 0x0B: "too many VIFEs", 0x0C: "illegal VIF group",
    0x0D: "illegal VIF exponent", 0x0E: "VIF and DIF do not match", 0x0F: "unimplemented action",
    0x15: "no data available", 0x16: "data overflow", 0x17: "data underflow", 0x18: "data error",
    0x1C: "premature end of record",
}

COMBINABLE = {
    0x20: "per second", 0x21: "per minute", 0x22: "per hour", 0x23: "per day", 0x24: "per week", 0x25: "per month",
    0x26: "per year", 0x27: "per revolution or measurement", 0x28: "increment per input pulse on channel 0",
    0x29: "increment per input pulse on channel 1", 0x2A: "increment per output pulse on channel 0",
    0x2B: "increment per output pulse on channel 1", 0x2C: "per litre", 0x2D: "per m^3", 0x2E: "per kg",
    0x2F: "per K", 0x30: "per kWh", 0x31: "per GJ", 0x32: "per kW", 0x33: "per K l", 0x34: "per V", 0x35: "per A",
    0x36: "times s", 0x37: "times s/V", 0x38: "times s/A", 0x39: "start date (time) of", 0x3A: "uncorrected unit",
    0x3B: "positive contributions only", 0x3C: "absolute value of negative contributions only",
    0x3D: "non-metric unit system", 0x3E: "at base conditions", 0x3F: "OBIS declaration",
    0x7E: "future value",
}

MEDIA = {
    0x00: "Other", 0x01: "Oil", 0x02: "Electricity", 0x03: "Gas", 0x04: "Heat: Outlet", 0x05: "Steam",
    0x06: "Warm water (30-90°C)", 0x07: "Water", 0x08: "Heat Cost Allocator", 0x09: "Compressed Air",
    0x0A: "Cooling load meter: Outlet", 0x0B: "Cooling load meter: Inlet", 0x0C: "Heat: Inlet",
    0x0D: "Heat / Cooling load meter", 0x0E: "Bus/System", 0x0F: "Unknown Medium", 0x10: "Irrigation Water",
    0x11: "Water Logger", 0x12: "Gas Logger", 0x13: "Gas Converter", 0x14: "Calorific value",
    0x15: "Hot water (>90°C)", 0x16: "Cold water", 0x17: "Dual water", 0x18: "Pressure", 0x19: "A/D Converter",
    0x1A: "Smoke Detector", 0x1B: "Ambient Sensor", 0x1C: "Gas Detector", 0x20: "Breaker: Electricity",
    0x21: "Valve: Gas or Water", 0x25: "Customer Unit: Display Device", 0x28: "Waste Water", 0x29: "Garbage",
    0x30: "Service Unit", 0x36: "Radio Converter: System", 0x37: "Radio Converter: Meter",
}
FIXED_MEDIA = (
    "Other", "Oil", "Electricity", "Gas", "Heat", "Steam", "Hot Water", "Water", "H.C.A.", "Reserved",
    "Gas Mode 2", "Heat Mode 2", "Hot Water Mode 2", "Water Mode 2", "H.C.A. Mode 2", "Reserved",
)

# Units of the fixed structure from code 02 on, three codes each: once, ten times, a hundred times.
FIXED_UNITS = (
    ("Wh", "Energy"), ("kWh", "Energy"), ("MWh", "Energy"), ("kJ", "Energy"), ("MJ", "Energy"), ("GJ", "Energy"),
    ("W", "Power"), ("kW", "Power"), ("MW", "Power"), ("kJ/h", "Power"), ("MJ/h", "Power"), ("GJ/h", "Power"),
    ("ml", "Volume"), ("l", "Volume"), ("m^3", "Volume"),
    ("ml/h", "Volume flow"), ("l/h", "Volume flow"), ("m^3/h", "Volume flow"),
)
FIXED_FACTORS = ("", "10 ", "100 ")
FIXED_OTHERS = {
    0x00: ("h,m,s", "Time"), 0x01: ("D,M,Y", "Time"), 0x38: ("1e-3 °C", "Temperature"),
    0x39: ("units for HCA", "H.C.A."), 0x3E: ("reserved but historic", "historic"),
    0x3F: ("without units", "No units"),
}
CUBIC_METRES = {"ml": -6, "l": -3, "m^3": 0}
# fmt: on


def meaning(extension, code):
    """(quantity, unit, multiplier, power of ten) of a VIF (`extension` None) or of a VIFE after FD or FB."""
    rows, durations = TABLES[extension]
    for first, count, power, unit, quantity in rows:
        if first <= code < first + count:
            return quantity, unit, 1, power + code - first
    for first, steps, quantity in durations:
        if first <= code < first + len(steps):
            multiplier, power = STEPS[steps[code - first]]
            return quantity, "s", multiplier, power
    return RESERVED


def medium_name(medium):
    """The name of a medium byte (EN 13757-3, device types)."""
    if medium in MEDIA:
        return MEDIA[medium]
    if 0x22 <= medium <= 0x3F:
        return "Reserved"
    return "Unknown medium (0x%02x)" % medium


def fixed_unit(code):
    """(unit, quantity, power of ten that makes m^3 or None) of a counter of the fixed structure, 6 bits."""
    if 2 <= code < 0x38:
        unit, quantity = FIXED_UNITS[(code - 2) // 3]
        tens = (code - 2) % 3
        power = CUBIC_METRES[unit] + tens if unit in CUBIC_METRES else None
        return FIXED_FACTORS[tens] + unit, quantity, power
    unit, quantity = FIXED_OTHERS.get(code, ("reserved", "Reserved"))
    return unit, quantity, None
