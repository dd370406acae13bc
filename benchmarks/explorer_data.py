"""Write the data of an explorer of made-up samples, and say how long it takes and what it weighs.

    python benchmarks/explorer_data.py [--count 276000] [--words 100] [--folder FOLDER]
    python benchmarks/explorer_data.py --count 1406 --pictures

Plants a run of clusters with three methods and maps in two and three dimensions, writes the data of
its explorer, and prints seconds, memory and bytes. Neighbors are those along one axis. Run it from
the project's folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path("tests/explorer").absolute()))

from planted import Planted

from latentmap.explorer.write import write_explorer


def main() -> None:
    """Plant a run, write its explorer, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=276_000)
    parser.add_argument("--words", type=int, default=100)
    parser.add_argument("--pictures", action="store_true", help="of 1,000 pixels a side")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(f"results/planted-{options.count}")
    planted = Planted(
        folder, options.count, pictures=options.pictures, side=1000, words=options.words
    )
    results = planted.write()
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.monotonic()
    write_explorer(results)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = sum(getattr(after, name) - getattr(before, name) for name in ("ru_utime", "ru_stime"))
    load = os.getloadavg()[0]
    print(f"{options.count:,} samples: {seconds:.1f} s, {cpu:.1f} CPU-s, load {load:.0f}")
    print(
        f"memory: {before.ru_maxrss / 1024:.0f} MB before, {after.ru_maxrss / 1024:.0f} MB at most"
    )
    site = folder / "explorer"
    manifest = json.loads((site / "manifest.json").read_text())
    print(f"data: {manifest['bytes'] / 1e6:.1f} MB; first view:")
    first = manifest["first"]
    files = ["manifest.json"]
    files += [e["file"] for e in manifest["maps"] if e["id"] == first["map"]]
    files += [e["file"] for e in manifest["columns"] if e["id"] == first["column"]]
    for suffix in ("", ".gz", ".br"):
        sizes = [_size(site / file, suffix) for file in files]
        print(f"  {suffix or 'plain'}: {sum(sizes) / 1e6:.2f} MB")


def _size(path: Path, suffix: str) -> int:
    compressed = path.with_name(path.name + suffix)
    return (compressed if compressed.exists() else path).stat().st_size


if __name__ == "__main__":
    main()
