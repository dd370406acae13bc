"""One file per kind of projection."""
