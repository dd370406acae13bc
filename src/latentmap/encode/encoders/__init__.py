"""One file per kind of encoder."""
