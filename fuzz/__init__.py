"""What reads files, given files that nobody wrote; ``python -m fuzz --help`` says how."""
