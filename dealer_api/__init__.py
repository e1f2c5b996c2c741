"""The desk: REST, the dealer's pages, the owner's pages, inbound webhooks."""
