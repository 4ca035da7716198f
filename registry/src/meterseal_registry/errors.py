"""What the registry refuses, as RFC 9457 problem details: a stable code, a status, one sentence."""


class RegistryError(Exception):
    """A request that can't be met. `code` is stable, `status` the HTTP status, the message says what to do."""

    code = "registry"
    status = 400


class BadSettings(RegistryError):
    """The settings file lacks a field or names something that can't be used."""

    code = "registry.settings"


class BadRequest(RegistryError):
    """A path, a parameter or a spreadsheet that can't be read."""

    code = "registry.request"


class BadEntry(RegistryError):
    """The statement or bundle is malformed; the message names the byte."""

    code = "entry.malformed"


class UnknownSigner(RegistryError):
    """No grant known here names the signer's key. Submit the grant first; the statement may be sent again."""

    code = "entry.unknown_key"
    status = 403


class NotPermitted(RegistryError):
    """The signer is known, and this kind is not for it to say."""

    code = "entry.not_permitted"
    status = 403


class NotFound(RegistryError):
    """Nothing is recorded under that name."""

    code = "registry.not_found"
    status = 404


class TooLarge(RegistryError):
    """The body is over the limit; send less at a time."""

    code = "registry.too_large"
    status = 413


class StoreFailed(RegistryError):
    """The store can't promise durability. Nothing was entered; try again later."""

    code = "registry.store"
    status = 503
