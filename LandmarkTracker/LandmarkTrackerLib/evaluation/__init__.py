"""Metrics, simulated motion, pictures: how good an answer is, and how that is shown."""
