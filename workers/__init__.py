"""The hands: loops that act when rows or time say so."""
