"""Which logs and witnesses somebody believes, as a C2SP tlog-policy file.

    log edge/EDGE1+6456069e+AQce/akdLjsI…
    witness A witness.example/a+ba91557c+BJvoOXo3l6JS…
    witness B witness.example/b+…
    group two-of-them all A B
    quorum two-of-them

Each line names only what stands above it, so groups have no circles. A third word behind a key is a URL, which says
where to ask and nothing about whom to believe: it is read past. Text in comments and URLs is whatever it is.
"""

import re
from dataclasses import dataclass, field

from meterseal_protocol.errors import BadKey, BadNote
from meterseal_protocol.note_key import PLAIN, TIMED, VerifierKey
from meterseal_protocol.quorum import LogTrust, Quorum

MOST_BYTES = 64 * 1024
NUMBER = re.compile(r"[1-9][0-9]{0,2}")
KINDS = {"log": PLAIN, "witness": TIMED}


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Verifier keys of logs, whose names are their origins; the quorum that must have seen them, None for none."""

    logs: tuple[VerifierKey, ...]
    quorum: Quorum | None

    def trust(self, origin: str) -> LogTrust:
        """How the log of that origin is believed; BadKey where no witness need see it, or the log is not listed."""
        keys = tuple(key for key in self.logs if key.name == origin)
        if not keys or self.quorum is None:
            raise BadKey(f"the policy lists no log {origin}, or no quorum of witnesses")
        return LogTrust(origin, keys, self.quorum)


@dataclass
class _Reading:
    logs: list[VerifierKey] = field(default_factory=list)
    members: dict[str, VerifierKey | Quorum] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    quorum: list[str] = field(default_factory=list)

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self.logs.append(_key("log", key, self.logs))
            case ["witness", name, key] | ["witness", name, key, _]:
                known = [item for item in self.members.values() if isinstance(item, VerifierKey)]
                self._name(name, _key("witness", key, known))
            case ["group", name, least, _, *_]:
                self._name(name, self._group(least, words[3:]))
            case ["quorum", name] if name == "none" or name in self.members:
                self.quorum.append(name)
            case _:
                raise BadNote(
                    f"`{' '.join(words)[:60]}` is no line of a policy, or names what no line above defines"
                )

    def _name(self, name: str, member: VerifierKey | Quorum) -> None:
        if name == "none" or name in self.members:
            raise BadNote(f"the name {name} is taken")
        self.members[name] = member

    def _group(self, least: str, names: list[str]) -> Quorum:
        for name in names:
            if name not in self.members or name in self.used:
                raise BadNote(f"{name} is not defined above, or is a member of a group already")
            self.used.add(name)
        needed = {"all": str(len(names)), "any": "1"}.get(least, least)
        if not NUMBER.fullmatch(needed):
            raise BadNote(f"a group needs all, any or a number of its members, not {least}")
        return Quorum(int(needed), tuple(self.members[name] for name in names))


def _key(word: str, text: str, known: list[VerifierKey]) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.type != KINDS[word] or any(key.public == other.public for other in known):
        raise BadKey(f"{key.name} is no key of a {word} (type {KINDS[word]}), or stands there twice")
    return key


def read_policy(raw: bytes) -> WitnessPolicy:
    """The policy in a file's bytes; BadNote or BadKey says what is wrong with it."""
    if len(raw) > MOST_BYTES:
        raise BadNote(f"a policy has at most {MOST_BYTES} bytes")
    if any((octet < 32 and octet not in b"\t\n") or octet == 127 for octet in raw):
        raise BadNote("a policy has no control characters but tab and newline")
    reading = _Reading()
    for line in raw.decode("utf-8", "surrogateescape").split("\n"):
        words = [word for word in re.split("[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            reading.take(words)
    if len(reading.quorum) != 1:
        raise BadNote("a policy has exactly one line `quorum`")
    name = reading.quorum[0]
    if name == "none":
        return WitnessPolicy(tuple(reading.logs), None)
    member = reading.members[name]
    return WitnessPolicy(tuple(reading.logs), member if isinstance(member, Quorum) else Quorum(1, (member,)))
