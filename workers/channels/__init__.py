"""One channel per file; the register is `CHANNELS`."""
