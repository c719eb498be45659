"""Images in and out, by what they hold: volumes, surfaces, CIFTI."""
