"""The signature of a Twilio webhook: made where one is delivered, checked where it is received."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping


def signature(token: str, address: str, form: Mapping[str, str]) -> str:
    """HMAC-SHA1 over the address followed by the form's fields in the order of their names, in base64."""
    signed = address + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
