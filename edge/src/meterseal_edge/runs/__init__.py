"""Runs as people look for them: an attempt and what closed it.

Read in this order: catalogue, run, packs, figures, views, plan_steps, chain_links, telegrams, owed, drawn.
"""
