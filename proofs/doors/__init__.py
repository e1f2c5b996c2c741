"""`telltale prove doors`: the desk's doors from outside, with two furnished dealers behind them.

`dealers.py` furnishes them, `requests.py` and `values.py` know what to ask, `callers.py` ask it, `ground.py` opens the
doors. `matrix.py` holds every door to the register, `walk.py` and `described.py` knock without end, `breaking.py` takes
a guard out, `proof.py` is the command.
"""

from proofs.doors.breaking import SWITCHES
from proofs.doors.proof import main

__all__ = ["SWITCHES", "main"]
