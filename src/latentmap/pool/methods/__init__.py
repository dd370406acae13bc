"""One file per pooling method."""
