"""What is said and what it is worth: messages verified, authority followed, meters judged, certificates checked.

Read in this order: errors, signing, keys, gate, statement, verify, merkle, receipt, checkpoint, note, note_key,
checkpoint_text, witness, quorum, witness_policy, tile, entry, chains, rotation, proof, measures, delegation, holders,
evidence, grant, variants, signoff, kept, ratio, rules, metrology, methods, uncertainty, judge, status, certificate, qr,
trust, check, words, testing.

No file, socket or clock is touched in here, except key files (keys) and the shipped packs and words.
"""
