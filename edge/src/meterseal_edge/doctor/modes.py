"""Key files: are they there, and can nobody else read them?"""

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.settings import Settings

OTHERS = 0o077


def modes(settings: Settings) -> Found:
    """`key.missing` and `mode`, for each key file that the settings name."""
    for path in (settings.key, settings.tls_key, settings.log_key):
        if path is None:
            continue
        if not path.is_file():
            yield fault("key.missing", path)
        elif path.stat().st_mode & OTHERS:
            yield fault("mode", path)
