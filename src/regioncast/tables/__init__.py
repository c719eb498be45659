"""Tables of values and of regions: from text, frames and objects, and to files."""
