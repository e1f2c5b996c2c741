"""Cars that already speak, in words that are not ours: each feed is a translation into our own contract."""
