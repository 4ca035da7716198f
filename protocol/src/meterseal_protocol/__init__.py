"""What is said and what it is worth: messages verified, authority followed, meters judged, certificates checked.

Read in this order: errors, keys, statement, verify, merkle, receipt, checkpoint, holders, evidence, grant, rules,
metrology, uncertainty, judge, status, certificate, qr, trust, check, words, testing.

No file, socket or clock is touched in here, except key files (keys) and the shipped packs and words.
"""
