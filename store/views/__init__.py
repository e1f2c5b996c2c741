"""What the desk's pages show: reads that join nouns, one module per page, and never a write."""
