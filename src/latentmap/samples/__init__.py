"""Samples: one image or one text each, with id, label, groups and boxes."""
