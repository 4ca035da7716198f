"""Password and one-time code, by argon2-cffi (Argon2id, RFC 9106's second recommended parameters) and pyotp (RFC 6238).

A code counts once: the step that was used is kept, and neither it nor an older one opens the door again. A name that
nobody has takes as long as one with a wrong password.
"""

import threading

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account, Roll

STEP_S = 30
LEAST_CHARACTERS, MOST_CHARACTERS = 12, 256
ISSUER = "MeterSeal"
HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# What nobody's password leads to: salt and hash of zeros. Looked at with the same parameters, so it takes as long.
NOBODY = (
    f"$argon2id$v=19$m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}${'A' * 22}${'A' * 43}"
)
AT_ONCE = threading.Semaphore(2)  # a hash takes 64 MiB: a crowd at the door must not fill the memory
WRONG = "name, password or code is wrong, or the code was used already"


def hashed(password: str) -> str:
    """The password as it is kept; NotTaken for one that is too short to keep anything."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise NotTaken("edge.account", f"a password has {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters")
    with AT_ONCE:
        return HASHER.hash(password)


def new_secret() -> str:
    """A secret for one-time codes: 160 bits in base32 (RFC 4226 section 4)."""
    return pyotp.random_base32()


def address(secret: str, name: str, edge: str) -> str:
    """The otpauth address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=f"{ISSUER} {edge}")


def opens(roll: Roll, name: str, password: str, code: str) -> Account:
    """The person of that name, if password and code are right; NotTaken else, without saying which was wrong."""
    row = roll.one("SELECT password, totp FROM account WHERE name = ?", name)
    right = _is_right(row[0] if row else NOBODY, password)
    step = _step_of(row[1], code, roll.now_s()) if row and right else None
    if step is None or not spend(roll, name, step):
        raise NotTaken("edge.login", WRONG)
    return roll.named(name)


def spend(roll: Roll, name: str, step: int) -> bool:
    """Take a code's step, in one statement: of two who come with the same code only one finds the older step."""
    return bool(roll.change("UPDATE account SET step = ? WHERE name = ? AND step < ?", step, name, step))


def _is_right(kept: str, password: str) -> bool:
    with AT_ONCE:
        try:
            return HASHER.verify(kept, password[: MOST_CHARACTERS + 1])
        except VerificationError:
            return False


def _step_of(secret: str, code: str, now_s: int) -> int | None:
    """The step that a code belongs to: this one, the one before or the one after."""
    totp, now = pyotp.TOTP(secret), now_s // STEP_S
    digits = code.replace(" ", "")
    return next((step for step in (now, now - 1, now + 1) if _is_code(totp, digits, step)), None)


def _is_code(totp: pyotp.TOTP, digits: str, step: int) -> bool:
    return digits.isascii() and totp.verify(digits, for_time=step * STEP_S)
