"""The rule packs that the pages reckon with: a folder's, or those that ship with this version.

A pack says nothing by lying here: the judge takes the one that the run's plan names, and only a rules grant makes it
count.
"""

from pathlib import Path

from meterseal_edge.errors import BadSettings
from meterseal_protocol.errors import BadPack
from meterseal_protocol.rules.pack import Pack, load_pack, shipped


def known_packs(folder: Path | None) -> list[Pack]:
    """Every *.cbor of a folder, in the order of their names; BadSettings where one is no pack."""
    if folder is None:
        return [load_pack(name) for name in shipped()]
    found = []
    for path in sorted(folder.glob("*.cbor")):
        try:
            found.append(Pack.load(path.read_bytes()))
        except (BadPack, OSError) as error:
            raise BadSettings(f"{path} is no rule pack: {error}") from None
    if not found:
        raise BadSettings(f'"packs" names {folder}, where there is no rule pack (*.cbor)')
    return found
