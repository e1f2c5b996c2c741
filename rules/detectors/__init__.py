"""Ways of noticing, each pure and each with a memory of its own: the catalogue sets them up."""
