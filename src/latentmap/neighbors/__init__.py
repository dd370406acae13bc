"""Neighbors: the graph of nearest neighbors of one embedding, computed once, used by everything."""
