"""The people's file: whole, and as new as what people did?"""

from meterseal_edge.doctor.faults import Found, fault
from meterseal_edge.errors import PeopleFailed
from meterseal_edge.people.copied import Reader
from meterseal_edge.people.roll import FILE
from meterseal_edge.people.trail_mark import holds, newest, peek
from meterseal_edge.settings import Settings


def people(settings: Settings) -> Found:
    """`people.damaged`, `people.older`; an edge without people has neither file nor mark."""
    path, marked = settings.folder / FILE, peek(settings.folder)
    if not path.exists():
        if marked is not None:
            yield fault("people.older", 0, marked.number)
        return
    try:
        [(said,)] = Reader(path).all("PRAGMA quick_check(1)")
        held = newest(Reader(path))
        older = marked is not None and not holds(Reader(path), marked)
    except PeopleFailed as error:
        yield fault("people.damaged", error)
        return
    if said != "ok":
        yield fault("people.damaged", said)
    elif older:
        yield fault("people.older", held.number, marked.number if marked else 0)
