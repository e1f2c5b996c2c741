"""The judgement: pure decisions that return a named reason."""
