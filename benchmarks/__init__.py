"""Benchmarks: ratios of what is compared side by side in one run, medians of repeats.

``make bench`` runs them all; ``python -m benchmarks --quick`` runs them on small images, which
shows that they work and measures nothing; ``--saving`` runs those of saving only, ``--large``
one whose output would be 34.6 GB of voxels, which needs 2 GB on the disk.
"""
