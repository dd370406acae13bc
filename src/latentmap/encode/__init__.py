"""Encoding: from a sample to a latent. The only stage that imports torch."""
