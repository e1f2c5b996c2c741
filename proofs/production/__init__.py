"""Production on one machine: the parts that others made (PostgreSQL, mosquitto, nginx), our services beside them, an
ordinary user.

Everything is made as an operator would make it: by the public commands, with TLS between all parts, each service a
process of its own that is started again when it ends. The tests of `tests/production` and `telltale prove operations`
live in it.
"""
