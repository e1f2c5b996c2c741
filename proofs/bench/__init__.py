"""Benches: speed of one part against its ceiling and its peers, as ratios within one run."""
