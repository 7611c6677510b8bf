"""The benchmark: this product beside a plain Flask app of the same feature, as ratios of one run."""
