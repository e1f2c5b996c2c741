"""The database and the broker that come along for a laptop."""
