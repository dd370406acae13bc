"""Metrics: how well one embedding separates the labels."""
