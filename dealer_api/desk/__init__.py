"""The dealer's pages: rendered on the server, live by server-sent events, and everything works without a script."""

from dealer_api.desk.page import set_up

__all__ = ["set_up"]
