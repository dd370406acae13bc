"""Where the workflow lies: around the checkout's `src`, or inside the package that is installed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

SHIPPED = Path(__file__).with_name("shipped")
"""What a wheel carries beside the package (hatch_build.py)."""

HOME = SHIPPED if SHIPPED.is_dir() else Path(__file__).parents[2]
"""The folder of the Snakefile, with `config/`, `resources/` and `profiles/`."""

RESOURCES = "resources/"
"""How the names of files begin that come with latentmap."""


def find_given(path: str) -> str:
    """Return the path of what comes with latentmap (`resources/tiny-vae`) from any folder.

    A file of this name in the current folder goes before it. Any other path stays as it is.
    """
    return str(HOME / path) if path.startswith(RESOURCES) and not Path(path).exists() else path


def name_given(path: str) -> str:
    """Return the name by which `find_given` finds a file that comes with latentmap.

    What a run is made from is known by this name, so that it stays the same when latentmap is
    installed elsewhere. Any other path stays as it is.
    """
    name = path.removeprefix(f"{HOME}/")
    return name if name.startswith(RESOURCES) and find_given(name) == path else path


def default_config() -> str:
    """Return the file of the default run, which is read only if a user names no configuration.

    One that lies at the same place below the current folder goes before it.
    """
    name = "config/config.yaml"
    return name if Path(name).exists() else str(HOME / name)


def importable(workflow: Path, links: Path) -> str:
    """Return a folder on whose path `latentmap` is found, and nothing else of where it lies.

    Args:
        workflow: the folder of the Snakefile: a checkout, or `shipped` of an installed package.
        links: where a link to an installed package may be put.
    """
    if (workflow / "src").is_dir():
        return str(workflow / "src")
    link = links.absolute() / "latentmap"
    if not link.exists() or not link.samefile(workflow.parent):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        with suppress(FileExistsError):  # another run, at the same moment
            link.symlink_to(workflow.parent)
    return str(link.parent)
