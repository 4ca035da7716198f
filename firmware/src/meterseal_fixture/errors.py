"""What can go wrong in a fixture: one root, few classes, stable codes. The sentences stand in `words.py`."""


class FixtureError(Exception):
    """Something the operator or the installer must know. `code` leads to its sentence in `words.py`.

    `detail` fills the one gap that a sentence may have.
    """

    code = "fixture"

    def __init__(self, code: str = "", detail: object = "") -> None:
        super().__init__(code or self.code, detail)
        self.code = code or self.code
        self.detail = detail

    def __str__(self) -> str:
        return "%s %s" % (self.code, self.detail) if self.detail != "" else self.code


class BadSettings(FixtureError):
    """The settings file cannot be used. The installer's fault; nothing starts."""

    code = "settings"


class Refused(FixtureError):
    """An order that cannot be carried out now, or not at all. Nothing was signed."""

    code = "order"


class Stopped(FixtureError):
    """The operator pressed stop."""

    code = "run.stopped"


class BenchFault(FixtureError):
    """The bench itself cannot go on: nothing flows, or the reference is dead. The run is abandoned."""

    code = "bench.no_flow"


class FrontEndSilent(FixtureError):
    """The counting front end did not give a sound answer, asked several times."""

    code = "front_end.silent"


class MeterFault(FixtureError):
    """A meter gave no telegram that can be used; `reason` is the kinds' number for why."""

    code = "meter.silent"

    def __init__(self, code: str, reason: int) -> None:
        super().__init__(code)
        self.reason = reason


class Disbelieved(FixtureError):
    """A statement from above whose signature, kind or shape is not what it must be. Dropped and counted."""

    code = "down.disbelieved"


class LineLost(FixtureError):
    """A serial line is closed at its other end."""

    code = "line.lost"


class QueueFull(FixtureError):
    """No room for another record: custody is missing for too much. Nothing was lost and nothing overwritten."""

    code = "keep.full"


class NotKept(FixtureError):
    """The flash did not take a record or does not show it again. The statement was never offered; a restart helps."""

    code = "keep.not_kept"
