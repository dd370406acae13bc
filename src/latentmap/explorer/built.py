"""The files of the built page."""

INDEX, SCRIPT, STYLE = "index.html", "assets/explorer.js", "assets/explorer.css"

BUNDLE = (INDEX, SCRIPT, STYLE)
"""All of them, which are the same for all runs."""
