"""Run by MicroPython: a fixture reduced to its Link. It offers numbered payloads until each is covered.

    micropython link_driver.py HOST PORT COUNT [folder with ca.der, client.der, key.der]

Prints a line for each change of state, each NotSent, each word of the link's log, and "covered" at the end; then it
stays connected until it is killed. A message on the down topic is the number of a payload that is covered, or "C" and
a renewed certificate; "noted" and "complained" are what became of that.
"""

import asyncio
import sys

from meterseal_fixture import link as link_module
from meterseal_fixture.errors import Disbelieved
from meterseal_fixture.link import UP, Link, NotSent
from meterseal_fixture.papers import Papers

# Patience as short as a test's.
link_module.ACK_MS = link_module.BEAT_MS = 700
link_module.WAIT_FIRST_MS, link_module.WAIT_LONGEST_MS = 50, 200


class Settings:
    site, fixture = "YUHANG1", "W1"

    def __init__(self, host, port):
        self.host, self.port = host, port

    def topic(self, end):
        return "ms/1/%s/%s/%s" % (self.site, self.fixture, end)


class Driver:
    def __init__(self, host, port, count, folder=None):
        names = ("ca.der", "client.der", "key.der")
        self.papers = Papers([folder + "/" + name for name in names]) if folder else None
        self.settings = Settings(host, int(port))
        self.link = Link(self.settings, self.cover, print, self.papers)
        self.kept = {number: b"%06d" % number + b"." * 250 for number in range(int(count))}

    def cover(self, payload):
        if payload[:1] != b"C":
            self.kept.pop(int(payload), None)
            return
        try:
            self.papers.take(payload[1:])
            print("taken", self.papers.again)
        except Disbelieved as why:
            print("disbelieved", why)

    # What a station would do with news of a certificate.

    def note(self, name, detail):
        print("noted", name, detail)
        return True

    def complain(self, code, detail):
        print("complained", code, detail)

    async def watch(self):
        self.panel = self
        shown = ""
        while True:
            if self.papers:
                self.papers.tell(self)
            if self.link.state != shown:
                shown = self.link.state
                print("state", shown)
            await asyncio.sleep_ms(1)

    async def offer(self):
        while self.kept:
            for number in sorted(self.kept):
                if self.link.state != UP or number not in self.kept:
                    continue
                try:
                    await self.link.publish(self.settings.topic("up"), self.kept[number], 1, False)
                except NotSent as why:
                    print("not_sent", why)
            await asyncio.sleep_ms(5)
        await self.link.publish(self.settings.topic("live"), b"covered", 0, False)
        print("covered")

    async def run(self):
        await asyncio.gather(self.link.run(), self.watch(), self.offer())


asyncio.run(Driver(*sys.argv[1:]).run())
