"""Grants as people write and read them: TOML in, words out.

Read in this order: errors, fields, values, form, standing, handed, shown.
"""
