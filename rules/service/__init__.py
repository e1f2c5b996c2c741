"""Decisions of the service lane: who may be told, when, in which words, and what fits into a day."""
