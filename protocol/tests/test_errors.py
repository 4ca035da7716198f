"""Few errors, one root a package, codes that never change their meaning."""

import inspect

import pytest

from meterseal_protocol import errors
from meterseal_wire import errors as wire_errors

OURS = [item for _, item in inspect.getmembers(errors, inspect.isclass) if item.__module__ == errors.__name__]
WIRE = [item for _, item in inspect.getmembers(wire_errors, inspect.isclass)]


@pytest.mark.parametrize("error", OURS, ids=lambda item: item.__name__)
def test_every_error_has_the_root_a_code_and_a_sentence(error: type[errors.ProtocolError]) -> None:
    """Style rule 9; what the raiser says is what the user reads."""
    assert issubclass(error, errors.ProtocolError)
    assert error.code
    assert error.__doc__
    assert str(error("the file is empty; give another")) == "the file is empty; give another"


def test_codes_are_told_apart() -> None:
    """A code stands in logs and answers: no two errors share one, over both packages."""
    codes = [error.code for error in (*OURS, *WIRE)]
    assert len(codes) == len(set(codes))
    assert {"verify.signature", "verify.unknown_key", "wire.truncated"} <= set(codes)


def test_broken_bytes_and_broken_meaning_have_roots_of_their_own() -> None:
    """WireError: the format is broken, with a byte. ProtocolError: the form is right and it still does not hold."""
    assert not issubclass(errors.ProtocolError, wire_errors.WireError)
    assert all(issubclass(error, wire_errors.WireError) for error in WIRE)
