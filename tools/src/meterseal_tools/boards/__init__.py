"""Boards on a production line: what an image is, and how it gets onto a board and is proved to be there.

Read in this order: words, image, slot_cell, onboard, link, compare, standing, identity, flashing, records,
site_file, tls_files, dump.
"""
