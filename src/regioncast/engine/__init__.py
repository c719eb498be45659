"""Arrays in, arrays out: labels to codes, codes to values and back.  Knows no file and no name."""
