"""What a person can do once, whichever door they came in by.

Each act: fetch, decide, save in one transaction, acknowledge.
"""
