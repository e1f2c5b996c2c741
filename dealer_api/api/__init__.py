"""The JSON API, one file per noun: parse, act, reply."""
