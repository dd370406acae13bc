"""The command `latentmap`: a plug-in that is not whole ends it in one line, as any other fault."""

import sys

from latentmap.errors import LatentmapError


def main() -> int:
    """Run the command line; return its exit status."""
    try:
        # Whatever reads a configuration imports every plug-in that has options.
        from latentmap.cli import main as run
    except LatentmapError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return run()


if __name__ == "__main__":
    sys.exit(main())
