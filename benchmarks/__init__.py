"""Benchmarks: ratios of what is compared side by side in one run, medians of repeats.

``make bench`` runs them all; ``python -m benchmarks --quick`` runs them on small images, which
shows that they work and measures nothing.
"""
