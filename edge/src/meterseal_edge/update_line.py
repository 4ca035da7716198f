"""One firmware on its way to one fixture: what to send next, by what the fixture's status line says. Pure: no I/O.

| state | hears | next |
|---|---|---|
| asked | there | sending, or finishing where everything is there already |
| sending | taken | sending the next parts, or finishing |
| asked, sending | refused | waiting |
| finishing | staged | staged |
| finishing | refused for a while | waiting |
| finishing | refused for good | ended |
| any of these | nothing for a while | waiting |
| waiting | time | asked |

`begin` is how it starts and how it goes on after any loss: the fixture answers with what lies in its slot already. At
most WINDOW parts are under way, as many as the fixture keeps waiting; the last one's place in the status line says that
all of them were taken. Waits double from FIRST_S to LONGEST_S and begin anew with each part that was taken.

Files that are no part of this image, or have other bytes, are cleared once by beginning another image in between; when
the fixture refuses the whole a second time, it is ended. Whether what is staged starts, and stays, is the fixture's
next state message.
"""

from typing import Any

from meterseal_edge.granting import Firmware

ASKED, SENDING, FINISHING, WAITING = "asked", "sending", "finishing", "waiting"
STAGED, ENDED = "staged", "ended"
OVER = (STAGED, ENDED)
NEXT = {
    (ASKED, "there"): SENDING,
    (SENDING, "taken"): SENDING,
    (SENDING, "complete"): FINISHING,
    (FINISHING, "staged"): STAGED,
    (FINISHING, "refused"): ENDED,
    (ASKED, "lost"): WAITING,
    (SENDING, "lost"): WAITING,
    (FINISHING, "lost"): WAITING,
    (WAITING, "time"): ASKED,
}
PART_BYTES, WINDOW = 4096, 4
FIRST_S, LONGEST_S = 15.0, 300.0
# What the fixture refuses at the end and will refuse again, whatever is sent: its words go to the operator.
FOR_GOOD = {
    "update.grant",
    "update.board",
    "update.digest",
    "update.rollback",
    "update.beside",
    "update.manifest",
    "update.large",
    "update.path",
}
WRONG_FILES = ("update.file", "update.offset")
NOTHING = bytes(32)
WHY_CHARACTERS = 80
Items = list[list[Any]]


class UpdateLine:
    """`state` as in the table, `why` what the fixture refused, `done` of `total` bytes are in its slot."""

    def __init__(self, firmware: Firmware, now_s: float) -> None:
        self.firmware = firmware
        self.state, self.why = WAITING, ""
        self.done, self.total = 0, sum(map(len, firmware.files.values()))
        self._due, self._wait = now_s, FIRST_S
        self._left: Items = []
        self._sent: tuple[str, int] | None = None
        self._clear, self._cleared = False, False

    @property
    def over(self) -> bool:
        """True once nothing more is sent."""
        return self.state in OVER

    def tick(self, now_s: float) -> Items:
        """What to send because time has passed."""
        if self.over or now_s < self._due:
            return []
        if self.state != WAITING:
            self._lost(now_s)
            return []
        self._go("time", now_s)
        first: Items = [["begin", NOTHING]] if self._clear else []
        self._clear = False
        return [*first, ["begin", self.firmware.digest]]

    def hear(self, told: Any, now_s: float) -> Items:
        """What to send after a status line's `update`; the same one may come many times."""
        if not isinstance(told, dict) or self.over or self.state == WAITING:
            return []
        if "error" in told:
            return self._refused(str(told["error"]), str(told.get("detail", "")), now_s)
        if self.state == ASKED and isinstance(told.get("there"), dict):
            return self._there(told["there"], now_s)
        if self.state == SENDING and self._sent == (told.get("path"), told.get("bytes")):
            self._wait = FIRST_S
            return self._more(now_s)
        if self.state == FINISHING and told.get("digest") == self.firmware.digest.hex():
            self._go("staged", now_s)
        return []

    def _there(self, there: dict[str, Any], now_s: float) -> Items:
        files = self.firmware.files
        sizes = {path: size for path, size in there.items() if type(size) is int and size >= 0}
        if any(path not in files or size > len(files[path]) for path, size in sizes.items()):
            return self._clear_first("update.file", "files of another image", now_s)
        self._go("there", now_s)
        self._left = []
        for path in sorted(files):
            data, start = files[path], sizes.get(path, 0)
            places = range(start, len(data), PART_BYTES) if data else range(0 if path in sizes else 1)
            self._left += [["part", path, at, data[at : at + PART_BYTES]] for at in places]
        return self._more(now_s)

    def _more(self, now_s: float) -> Items:
        parts, self._left = self._left[:WINDOW], self._left[WINDOW:]
        self.done = self.total - sum(len(part[3]) for part in [*parts, *self._left])
        if not parts:
            self._go("complete", now_s)
            return [["finish", self.firmware.manifest, self.firmware.grant]]
        self._go("taken", now_s)
        _, path, at, data = parts[-1]
        self._sent = (path, at + len(data))
        return parts

    def _refused(self, code: str, detail: str, now_s: float) -> Items:
        self.why = f"{code} {detail}"[:WHY_CHARACTERS].strip()
        if self.state != ASKED and code in WRONG_FILES:
            return self._clear_first(code, detail, now_s)
        if self.state == FINISHING and code in FOR_GOOD:
            self._go("refused", now_s)
        else:
            self._lost(now_s)
        return []

    def _clear_first(self, code: str, detail: str, now_s: float) -> Items:
        self.why = f"{code} {detail}"[:WHY_CHARACTERS].strip()
        self._clear = not self._cleared
        if self._cleared and self.state == FINISHING:
            self._go("refused", now_s)
            return []
        self._cleared = True
        self._lost(now_s)
        return []

    def _lost(self, now_s: float) -> None:
        self._go("lost", now_s)
        self._due = now_s + self._wait
        self._wait = min(2 * self._wait, LONGEST_S)

    def _go(self, event: str, now_s: float) -> None:
        self.state = NEXT[self.state, event]
        self._due = now_s + FIRST_S
