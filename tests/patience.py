"""How long a test waits for what must come.

It comes or it does not: a machine that does ten things at once is no reason to fail.
"""

PATIENCE_S = 120.0
