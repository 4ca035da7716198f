"""What a command of `meterseal edge` did stands in the trail of the edge, as what people do on its pages.

The act comes first: a fixture that was stolen is shut out whether or not the trail can be written. Where it can't, one
line says so, and the command's exit code stays that of the act.
"""

import sys
from collections.abc import Mapping
from contextlib import closing

from meterseal_edge.errors import EdgeError
from meterseal_edge.people.trail import BY_COMMAND, open_trail
from meterseal_edge.settings import Settings
from meterseal_protocol.errors import ProtocolError
from meterseal_protocol.keys import PrivateKey


def note(settings: Settings, what: str, about: Mapping[str, object]) -> None:
    """An act of the command line, signed by the edge; no name of a person is in `about`."""
    try:
        trail = open_trail(settings.folder, PrivateKey.load(settings.key))
        with closing(trail.roll):
            trail.write(BY_COMMAND, what, about)
    except (EdgeError, ProtocolError, OSError) as error:
        print(f"已执行，但未能记入操作记录 it is done, and not in the trail: {error}", file=sys.stderr)
