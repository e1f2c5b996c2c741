"""`telltale check`: everything that a house needs before its first day, looked at from outside, one line each with what
to do.
"""

from telltale.checking.finding import Finding
from telltale.checking.house import check_house

__all__ = ["Finding", "check_house"]
