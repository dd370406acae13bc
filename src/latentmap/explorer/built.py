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


def built_page() -> Path:
    """Return the folder of the built page: that of an installed package, or one of the checkout.

    A checkout's is built from its sources, where that has not been done since they changed.

    Raises:
        LatentmapError: it cannot be built.
    """
    from latentmap.explorer.bundle import build, sources_digest

    carried = carried_page()
    if carried:
        return carried[0].parent
    sources = HOME / "explorer"
    folder = HOME / ".snakemake" / "latentmap" / "explorer"
    known, digest = folder / "sources.txt", sources_digest(sources)
    if not (known.exists() and known.read_text() == digest):
        build(sources, folder)
        known.write_text(digest)
    return folder
