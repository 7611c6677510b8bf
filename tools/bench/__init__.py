"""Benchmark: this product compared with a plain Flask app of the same feature, as ratios of one run."""
