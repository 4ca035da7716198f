"""Makers of the vectors, one file a subject. Read case first."""
