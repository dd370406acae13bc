"""Inspect: what each channel and each position of the latents says of the labels."""
