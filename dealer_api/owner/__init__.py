"""The pages of people without an account: owners, drivers on the road, the demo phone."""
