"""Files in and out: images, region tables, tables of values."""
