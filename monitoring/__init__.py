"""The watch: each service's health page, what it counts, and the traces through all of them."""
