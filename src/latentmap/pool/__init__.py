"""Pooling: from a latent to a vector."""
