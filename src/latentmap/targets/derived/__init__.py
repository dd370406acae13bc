"""One file per derived target, or per set of targets from the same columns."""
