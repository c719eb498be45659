"""Many images: jobs in a table, run side by side, done once, and gathered."""
