"""Volumes: NIfTI and every other format of nibabel."""
