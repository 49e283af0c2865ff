"""Each layout that a release had, and the way to it from the one before."""
