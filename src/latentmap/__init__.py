"""Maps and measurements of latent spaces."""
