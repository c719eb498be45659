"""CIFTI-2: grayordinates and parcels."""
