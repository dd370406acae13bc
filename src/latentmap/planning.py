"""What a run is made of, found out before any job.

The workflow plans when it is parsed; `latentmap validate` and `latentmap plan` plan the same way.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from pathlib import Path

from latentmap.checks import (
    one_label,
    refuse,
    without_effect,
    wrong_with_annotations,
    wrong_with_caches,
    wrong_with_colors,
    wrong_with_encoders,
    wrong_with_maps,
    wrong_with_reference,
    wrong_with_rows,
    wrong_with_sources,
    wrong_with_targets,
)
from latentmap.encode.encoder import ENCODERS
from latentmap.errors import LatentmapError
from latentmap.run import Run, created
from latentmap.samples.plan import Limit, Listing, list_rows, plan_shards, sealed_rows
from latentmap.samples.planned import PlannedShard
from latentmap.samples.remarks import Remark, remark_lines
from latentmap.samples.source import SOURCES, Source, SourceOptions


class Plan:
    """The sources of a run, their rows and the shards that these make, each when it is asked for.

    Args:
        run: its configuration.
        folder: of its results, where shards may be sealed already.
        downloaded: gives the file that a remote source, by its name, was downloaded to.

    Attributes:
        given: the sources as they are configured, by name.
    """

    def __init__(self, run: Run, folder: Path, downloaded: Callable[[str], Path | str]) -> None:
        self.run = run
        self.given: dict[str, Source[SourceOptions]] = {
            options.name: SOURCES.create(**created(options)) for options in run.samples.sources
        }
        self._folder = folder
        self._downloaded = downloaded

    @property
    def remote(self) -> list[str]:
        """Names of the sources that must be downloaded before there is a plan."""
        return [name for name, source in self.given.items() if source.is_remote]

    def check(self) -> None:
        """Look at all that jobs will need and that is there before any of them, but for the rows.

        Raises:
            LatentmapError: says all that is wrong, one line each.
        """
        refuse(
            chain(
                wrong_with_sources(self.given),
                wrong_with_encoders(self.run, self.given),
                wrong_with_annotations(self.run),
                wrong_with_reference(self.run),
                wrong_with_caches(self.run),
                wrong_with_maps(self.run),
            )
        )

    @cached_property
    def sources(self) -> dict[str, Source[SourceOptions]]:
        """The sources by name, each of which can be read."""
        return {
            name: source.local(self._downloaded(name)) if source.is_remote else source
            for name, source in self.given.items()
        }

    @cached_property
    def listing(self) -> Listing:
        """The rows of the run.

        Raises:
            LatentmapError: a source cannot be opened, or its rows cannot be used.
        """
        options = self.run.samples
        limit = Limit(options.num_samples, options.stratify, options.seed)
        listing = list_rows(self.sources, limit)
        refuse(
            chain(
                wrong_with_rows(self.run, self.sources, listing.rows),
                wrong_with_colors(self.run, self.sources),
                wrong_with_targets(self.run, self.sources),
            )
        )
        return listing

    @cached_property
    def shards(self) -> dict[str, PlannedShard]:
        """The shards by id, in their order.

        Raises:
            LatentmapError: as for `listing`; or a sealed shard is damaged.
        """
        with uncollected():
            sealed = sealed_rows(self._folder)
            planned = plan_shards(self.listing, self.run.samples.shard_size, sealed)
            return {shard.id: shard for shard in planned}

    def remarks(self) -> list[tuple[str, str, Remark]]:
        """Return what there is to say of sources and of what encoders read: name, input, remark."""
        encoders = [ENCODERS.create(**created(options)) for options in self.run.encoders]
        of_parts = [
            *(
                (name, source.options.input or "", remark)
                for name, source in self.sources.items()
                for remark in source.remarks()
            ),
            *(
                (encoder.options.name, getattr(encoder.options, "input", None) or "", remark)
                for encoder in encoders
                for remark in encoder.remarks()
            ),
        ]
        return of_parts + [(names, "", remark) for names, remark in self.listing.remarks()]

    def lines(self, table: Path | str) -> list[str]:
        """Return what to say of the run and its data on the terminal, one line each.

        Args:
            table: where reasons and remedies will be.
        """
        remarks = [(name, remark) for name, _, remark in self.remarks()]
        labels = one_label(self.run, self.sources, self.listing.rows)
        return [*without_effect(self.run), *labels, *remark_lines(remarks, str(table))]


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: among a million rows it takes a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def check_all(run: Run) -> Plan:
    """Say what is wrong with a run as its workflow would; what is remote is not looked at.

    Raises:
        LatentmapError: says what is wrong, one line each.
    """
    plan = Plan(run, Path(), _not_downloaded)
    plan.check()
    if not plan.remote:
        assert plan.listing
    return plan


def _not_downloaded(name: str) -> Path:
    raise LatentmapError(f"The source '{name}' is not downloaded yet.")
