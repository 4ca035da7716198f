"""What the edge can say is wrong. One root; codes are stable and stand in logs, alarms and answers."""


class EdgeError(Exception):
    """Something at this edge prevents its work. The message says what and what to do."""

    code = "edge"


class BadSettings(EdgeError):
    """The settings file lacks a field or names something that can't be used."""

    code = "edge.settings"


class StoreFailed(EdgeError):
    """The store can't promise durability: disk full or damaged. Acknowledging stops until it can."""

    code = "edge.store"


class RegistryAbsent(EdgeError):
    """The registry did not answer, or refused. Statements wait in the outbox; nothing is lost."""

    code = "edge.registry"


class WorkerLost(EdgeError):
    """A process that verifies ended by itself. The edge ends too and is started again; nothing was acknowledged."""

    code = "edge.worker"


class NoSuchTile(EdgeError):
    """The log has not that many leaves. Ask for its checkpoint first."""

    code = "edge.tile"
