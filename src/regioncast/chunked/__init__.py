"""Arrays that do not fit into memory: labels and images chunk by chunk."""
