"""The witnesses: the story, benches, fault experiments, the detection score."""
