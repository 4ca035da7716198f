"""Why a grant is not made, in one sentence that says what to do."""


class BadGrant(ValueError):
    """The form, or what it would grant, can't be used."""
