"""One rule per file; the register is `RULES`."""
