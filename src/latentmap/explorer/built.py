"""The files of the built page."""

from pathlib import Path

from latentmap.home import HOME

INDEX, SCRIPT, STYLE = "index.html", "assets/explorer.js", "assets/explorer.css"

BUNDLE = (INDEX, SCRIPT, STYLE)
"""All of them, which are the same for all runs."""


def carried_page() -> list[Path]:
    """Return the files of the page that an installed package carries; none of a checkout."""
    paths = [HOME / "explorer" / name for name in BUNDLE]
    return paths if all(path.exists() for path in paths) else []
