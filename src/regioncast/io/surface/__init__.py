"""Surfaces: GIFTI, FreeSurfer's files, NumPy and text, one hemisphere or a pair."""
