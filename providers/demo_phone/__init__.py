"""The demo phone: what stands in where no provider is set up."""
