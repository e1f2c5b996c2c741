"""What a gateway needs around its intake: sign-ins, leases, health, retention, its own guards."""
