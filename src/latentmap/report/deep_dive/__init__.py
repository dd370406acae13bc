"""Charts about the channels and positions of the latents of one encoder; one file each."""
