"""The desk's doors: two dealers with canaries, and whoever may knock."""
