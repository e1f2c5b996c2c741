"""What all rules share: one step of a car, its memory, the life of an alert."""
