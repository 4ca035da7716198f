"""A site's transport security: its authority, what the broker is told, and which key may speak under which name.

One name is pinned all the way: the topic is the certificate's common name (the broker's access list), the name is that
of the fixture's grant (keybook.py), and the key that signs is the one whose fingerprint a person compared when the
fixture was enrolled (pins.py). Not covered: an authority's key that is stolen from this folder; keep `authority/` away
from the box between enrolments if you can.

Read in this order: layout, authority, request, identities, pins, access, broker_file, web_file, units, tls, founding,
enrolment, renewal, eviction, revocation.
"""
