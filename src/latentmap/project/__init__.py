"""Projections: 2D and 3D maps of one embedding."""
