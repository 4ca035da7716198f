"""A factory's worth of fixtures against a real edge, for benches and for people who size a box.

`lines` says who signs what, `sender` publishes and waits for custody, `box` is a broker and an edge of its own.
Read in this order: lines, sender, box.
"""
