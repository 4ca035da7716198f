"""What the fixture tells on its state topic each time it comes online, so that the edge knows what to send.

| field | says |
|---|---|
| `entered` | (epoch, seq) up to which it has receipts |
| `key`, `nonce` | the thumbprint of its key, and a fresh question about the time (question.py) |
| `plans`, `tenants` | what is held of each (granted.py); with an authority's key alone |
| `board`, `firmware` | board and front end, and the running digest; where updates are taken alone |
| `certificate` | the SHA-256 of its TLS certificate (papers.py); with TLS alone |
| `slot`, `staged` | state of the other slot (slots.py), and the digest that was staged there last |

For the edge's eyes: nobody believes it, and a fixture that lies here is sent what it has no use for.
"""


def presence(station, slots, board: str) -> dict[str, object]:
    """The fields above, as JSON values. `slots` is None where no update is taken."""
    down, chronicle = station.offer.down, station.chronicle
    told: dict[str, object] = {
        "entered": chronicle.keep.entered(),
        "key": chronicle.author.thumbprint.hex(),
        "nonce": down.question.ask(),
    }
    told.update(down.delivery.granted.told())
    if down.delivery.papers:
        told.update(down.delivery.papers.told())
    if down.delivery.staging:
        told.update(board=board, firmware=station.firmware.hex(), slot=slots.state, staged=slots.digest.hex())
    return told
