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


class PeopleFailed(StoreFailed):
    """The people's file can't be used: nobody logs in or signs. Statements are taken as before."""

    code = "edge.people"


class RolledBack(EdgeError):
    """The store lacks statements that this edge has signed for. It must not go on under the same key."""

    code = "edge.rolled_back"


class BadBackup(EdgeError):
    """A backup can't be made, or is damaged or of another edge. What was there before is untouched."""

    code = "edge.backup"


class RegistryAbsent(EdgeError):
    """The registry did not answer, or refused. Statements wait in the outbox; nothing is lost.

    `after_s` is for how long it asked to be left alone (Retry-After), `too_much` True where it refused a bundle whole.
    """

    code = "edge.registry"

    def __init__(self, why: str, after_s: int = 0, too_much: bool = False) -> None:
        super().__init__(why)
        self.after_s, self.too_much = after_s, too_much


class BadOffer(EdgeError):
    """What a person wants sent to fixtures is not covered by a grant, or cannot be used. Nothing was put there."""

    code = "edge.offer"


class WorkerLost(EdgeError):
    """A process that verifies ended by itself. The edge ends too and is started again; nothing was acknowledged."""

    code = "edge.worker"


class BadSite(EdgeError):
    """A site's files, a request or a name can't be used. Nothing was issued or changed."""

    code = "edge.site"


class NoSuchTile(EdgeError):
    """The log has not that many leaves. Ask for its checkpoint first."""

    code = "edge.tile"


class WitnessAbsent(EdgeError):
    """The witness did not cosign the log's head. The log goes on; its newest cosigned head stays what is served."""

    code = "edge.witness"


class NotTaken(EdgeError):
    """What a person asked for is not done: not logged in, not theirs to do, not what the edge computes. `code` says
    which, and stands in pages/words.js in two languages.
    """

    code = "edge.person"

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
