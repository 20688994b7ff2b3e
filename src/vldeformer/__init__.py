"""Decompose a vision-language transformer into an encoder that reads a caption or an image alone.

Shape letters used in every docstring and annotation of this package:

    B pairs in a batch      T caption tokens        G tag tokens        R regions or patches
    S sequence positions    V visual feature width  H hidden width      D embedding width
    Q queries               N gallery items         K cut-off of a ranked list

Units: boxes are fractions of the image (x1 y1 x2 y2); similarity is cosine, divided by the temperature;
latency is in milliseconds (median), memory in MiB, schedules in steps.
"""
