"""Ways out of the house to a person: a folder for each provider of texts or mail, and one register of them."""
