"""The switchboard: settings, wiring, embedded parts and the command line."""
