"""Images reduced chunk by chunk, with the same bits however they are read and by whom.

A *leaf* is a block of 64³ voxels aligned at the origin, a *node* one of 4³ leaves.  What is known
of each region in a leaf is added up leaf after leaf in a node, and nodes along a fixed binary
tree.  Tasks are nodes, or some that stand next to each other in the tree; how arrays are chunked,
and who reads them, is nowhere in what is computed.

- Counts, extremes, and sums of integers are exact; so means of integers are correctly rounded, and
  their variances up to 32 bits.
- Sums of floats, and variances of these and of integers of 64 bits, are those of the tree, with
  the formula of Chan, which loses nothing where values are large and differ little.
- Percentiles are exact: keys, which sort as the values do, are counted in bins of a range of each
  region, of which the bin with the wanted rank is the next range, until so few keys are left in
  the ranges that they are collected and sorted.
"""
