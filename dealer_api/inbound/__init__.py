"""Texts that come in, one file per provider."""
