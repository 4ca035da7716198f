"""What can go wrong with a rig. One root, stable codes; each text says what to do."""


class SimError(Exception):
    """The rig cannot do what was asked. `code` is stable, the text is one sentence for a person."""

    code = "sim"


class BadSetup(SimError):
    """A bench, a meter or a path that cannot be: wrong position, unknown telegram, no interpreter."""

    code = "sim.setup"


class FixtureDied(SimError):
    """The fixture's process ended while something was expected of it."""

    code = "sim.fixture_died"


class NoAnswer(SimError):
    """The fixture said nothing that fits within the time allowed."""

    code = "sim.no_answer"
