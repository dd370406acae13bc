"""A plug-in that is not whole is refused before any job, by the workflow and the command line."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.workflow

ENCODER = '''"""Latents of a newcomer."""

from latentmap.encode.encoder import Encoder


class Newcomer(Encoder):
    """It does not say how it encodes."""
'''
CHART = '''"""A chart of a newcomer."""

from latentmap.report.chart import Chart


class Newcomer(Chart):
    title = "Newcomer"

    def build(self, data):
        return None
'''


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        # Imported with the configuration, of which its options are a part.
        ("encode/encoders", ENCODER, "the encoder Newcomer does not define encode()."),
        # Imported when the pages are planned.
        ("report/charts", CHART, "the chart Newcomer does not set 'look_for' (one line that says"),
    ],
    ids=["encoder", "chart"],
)
def test_what_is_no_whole_plug_in_ends_in_one_line(unfinished, path, text, said):
    file = f"src/latentmap/{path}/newcomer.py"
    (unfinished.folder / file).write_text(text)
    commands = [
        unfinished.command("-n", "--configfile", "config/small.yaml"),
        [sys.executable, "-m", "latentmap", "list", path.rpartition("/")[2]],
    ]
    for command in commands:
        done = subprocess.run(
            command,
            cwd=unfinished.folder,
            env=unfinished.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        *_, last = done.stderr.splitlines()
        assert last.startswith(f"Error: {file}: {said}")
        assert "Traceback" not in done.stderr
