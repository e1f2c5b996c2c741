"""`telltale prove operations`: the faults that nights bring, on production's own parts and under load; then what became
of it all.

`proof.py` is the run, `rig.py` the house with everything that can be broken in it, `faults.py` the faults, `desk.py`
the load of the desk and of texts, `checking.py` what must hold at the end.
"""

from proofs.operations.proof import main
from proofs.sabotage import SWITCHES

__all__ = ["SWITCHES", "main"]
