"""The words: what things are, pure. Nothing here reads a clock, a file or the network."""
