"""Passkeys, by py_webauthn (W3C Web Authentication level 3): asked for with user verification, so that one is two
factors. A challenge is used once and for two minutes, by whoever got it.
"""

import secrets
import threading
from collections import OrderedDict
from typing import Any

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from meterseal_edge.errors import NotTaken
from meterseal_edge.people.roll import Account, Roll
from meterseal_edge.people.trail import Trail

CHALLENGES, CHALLENGE_S, TICKET_BYTES = 1000, 120, 16
REFUSED = "the passkey was not accepted"


class Challenges:
    """Challenges that were given out, by ticket; bounded, the oldest goes first."""

    def __init__(self, roll: Roll) -> None:
        self.roll = roll
        self._lock = threading.Lock()
        self._given: OrderedDict[str, tuple[bytes, int, float]] = OrderedDict()

    def give(self, challenge: bytes, account: int) -> str:
        """The ticket under which a challenge waits; `account` is 0 where nobody is known yet."""
        ticket = secrets.token_urlsafe(TICKET_BYTES)
        with self._lock:
            self._given[ticket] = (challenge, account, self.roll.clock())
            if len(self._given) > CHALLENGES:
                self._given.popitem(last=False)
        return ticket

    def take(self, ticket: str, account: int) -> bytes:
        """The challenge of a ticket, once; NotTaken for another's, a used or an old one."""
        with self._lock:
            challenge, whose, at_s = self._given.pop(ticket, (b"", -1, 0.0))
        if whose != account or self.roll.clock() - at_s > CHALLENGE_S:
            raise NotTaken("edge.passkey", "the page waited too long for the passkey; try again")
        return challenge


class Passkeys:
    """Registration and login. `origin` is the page's address as browsers see it; its host is the relying party."""

    def __init__(self, trail: Trail, origin: str, host: str) -> None:
        self.trail, self.roll, self.origin, self.host = trail, trail.roll, origin, host
        self.challenges = Challenges(trail.roll)

    def begin_add(self, account: Account) -> dict[str, Any]:
        """What the browser needs to make a passkey for somebody who is logged in: {ticket, options}."""
        known = self.roll.all("SELECT id FROM passkey WHERE account = ?", account.id)
        options = generate_registration_options(
            rp_id=self.host,
            rp_name="MeterSeal",
            user_name=account.name,
            user_id=account.id.to_bytes(8, "big"),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=row[0]) for row in known],
        )
        ticket = self.challenges.give(options.challenge, account.id)
        return {"ticket": ticket, "options": options_to_json_dict(options)}

    def add(self, account: Account, ticket: str, credential: dict[str, Any]) -> None:
        """Keep a new passkey; NotTaken where it does not hold."""
        challenge = self.challenges.take(ticket, account.id)
        try:
            found = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise NotTaken("edge.passkey", f"{REFUSED}: {error}") from None
        with self.roll.together():
            values = (found.credential_id, account.id, found.credential_public_key, found.sign_count)
            if not self.roll.change(
                "INSERT OR IGNORE INTO passkey VALUES (?, ?, ?, ?, ?)", *values, self.roll.now_s()
            ):
                raise NotTaken("edge.passkey", "this passkey is known already")
            self.trail.write(account.id, "passkey added", {"passkey": found.credential_id.hex()})

    def begin_login(self) -> dict[str, Any]:
        """What the browser needs to log in with any passkey that it has for this edge: {ticket, options}."""
        options = generate_authentication_options(
            rp_id=self.host, user_verification=UserVerificationRequirement.REQUIRED
        )
        return {
            "ticket": self.challenges.give(options.challenge, 0),
            "options": options_to_json_dict(options),
        }

    def opens(self, ticket: str, credential: dict[str, Any]) -> Account:
        """The person whose passkey answered; NotTaken else."""
        challenge = self.challenges.take(ticket, 0)
        name = credential.get("id")
        try:
            row = self.roll.one(
                "SELECT account, public, uses, id FROM passkey WHERE id = ?",
                base64url_to_bytes(name) if isinstance(name, str) else b"",
            )
            account = self.roll.by_id(row[0]) if row else None
            if row is None or account is None:
                raise NotTaken("edge.passkey", "nobody here has this passkey")
            found = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.host,
                expected_origin=self.origin,
                credential_public_key=row[1],
                credential_current_sign_count=row[2],
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise NotTaken("edge.passkey", f"{REFUSED}: {error}") from None
        self.roll.change("UPDATE passkey SET uses = ? WHERE id = ?", found.new_sign_count, row[3])
        return account
