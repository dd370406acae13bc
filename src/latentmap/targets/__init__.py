"""Targets: how much of many properties of the samples can be read off an embedding."""
