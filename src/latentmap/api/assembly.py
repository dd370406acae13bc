"""A run in this process, without Snakemake: its stages one after the other.

Every function is the one that the job of the same name calls, with the paths that the address book
gives its rule, so that the folder is the workflow's, file by file (a test compares them).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from latentmap.draw.thumbnails import make_thumbnails
from latentmap.encode.encoder import ENCODERS, FittedEncoder
from latentmap.encode.fit import fit_encoder
from latentmap.encode.shard import encode_shard
from latentmap.fingerprint import fingerprint
from latentmap.home import HOME
from latentmap.inspect.channels import inspect_latents
from latentmap.metrics.learning import trace_learning, traced
from latentmap.metrics.measure import measure_embedding
from latentmap.metrics.method_agreement import compare_embeddings, compare_maps
from latentmap.metrics.outliers import write_outliers
from latentmap.metrics.ranking import rank_methods
from latentmap.neighbors.search import find_graph
from latentmap.planning import Plan
from latentmap.pool.embed import pool_latents
from latentmap.pool.method import METHODS
from latentmap.project.place import project_embedding
from latentmap.project.projection import PROJECTIONS
from latentmap.project.quality import assess_maps
from latentmap.report.assets import write_assets
from latentmap.report.labels import collect_labels
from latentmap.report.page import pages_of
from latentmap.report.pictures import write_picture_names
from latentmap.report.table import write_metrics_table, write_targets_table
from latentmap.run import Run, created, kind_of
from latentmap.samples.ingest import ingest_shard
from latentmap.samples.planned import PlannedShard
from latentmap.samples.seal import seal_samples
from latentmap.samples.source import SOURCES
from latentmap.store import results as book
from latentmap.store.files import write_text
from latentmap.store.manifest import name_run
from latentmap.store.results import Artifact, Key, Results, write_run_facts
from latentmap.store.tables import write_arrow, write_parquet
from latentmap.targets.compare import compare_targets
from latentmap.targets.measure import measure_targets
from latentmap.targets.resolve import resolve_targets

THREADS = 2


class Assembly:
    """One run, stage by stage.

    Args:
        run: its configuration.
        folder: of its results.

    Attributes:
        say: is told what is done now, in a few words.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run = run
        self.say: Callable[[str], None] = lambda words: None
        plan = Plan(run, folder, _no_download)
        plan.check()
        self._plan = plan
        self._shards = plan.shards
        encoders = {o.name: ENCODERS.create(**created(o)) for o in run.encoders}
        facts = replace(
            run.facts,
            revisions={name: encoder.revision() for name, encoder in encoders.items()},
            origins={name: encoder.origin() for name, encoder in encoders.items()},
        )
        self.results = Results(folder, facts, lambda: list(self._shards))
        self.metrics = {name: options.model_dump() for name, options in run.measured.items()}

    def begin(self) -> None:
        """Write what the run is."""
        name_run(self.results.folder)
        write_run_facts(self.results.path(book.RUN), self.results.facts)

    def samples(self) -> None:
        """Read, check and draw the samples."""
        run, results = self.run, self.results
        for shard in self._shards.values():
            source = self._plan.sources[shard.source]
            ingested = ingest_shard(source, shard, run.label_to_group)
            write_arrow(results.path(book.SAMPLES, shard.id), ingested.samples)
            write_parquet(results.path(book.SHARD_QUARANTINE, shard.id), ingested.quarantine)
            thumbnails = make_thumbnails(ingested.samples, run.thumbnails, run.draw)
            write_arrow(results.path(book.THUMBNAILS, shard.id), thumbnails)
        seal_samples(
            self._all(book.SAMPLES),
            self._all(book.SHARD_QUARANTINE),
            results.path(book.MANIFEST),
            results.path(book.QUARANTINE),
            [remark.row(*whose) for *whose, remark in self._plan.remarks()],
            {shard.id: self._reader(shard) for shard in self._shards.values()},
        )
        collect_labels(self._all(book.SAMPLES), run.group_colors, results.path(book.LABELS))

    def _reader(self, shard: PlannedShard) -> str:
        """Return the fingerprint of the code that reads a shard, as the workflow takes it."""
        script = HOME / "workflow" / "scripts" / "ingest_samples.py"
        kind = kind_of(self.run.source(shard.source))
        return fingerprint(SOURCES.module(kind), scripts=(script,))

    def latents(self) -> None:
        """Encode all samples."""
        for (name,) in self.results.encoders:
            fit = None
            encoder = ENCODERS.create(**created(self.run.encoder(name)))
            if isinstance(encoder, FittedEncoder):
                fit = self.results.path(book.FIT, name)
                fit_encoder(self._all(book.SAMPLES), fit, encoder)
            for key in self.results.keys(book.LATENTS, encoder=name):
                with self._timed("encode_samples", key):
                    encode_shard(
                        self.results.path(book.SAMPLES, key[2]),
                        self.results.path(book.LATENTS, *key),
                        encoder,
                        key[1],
                        self.run.draw,
                        THREADS,
                        fit,
                    )

    def embeddings(self) -> None:
        """Pool, find neighbors, measure and rank."""
        run, results, samples = self.run, self.results, self._all(book.SAMPLES)
        for key in results.methods:
            embedding, neighbors = self._at(key, book.EMBEDDING, book.NEIGHBORS)
            latents = results.paths(book.LATENTS, encoder=key[0], variant=key[1])
            with self._timed("pool_latents", key):
                pool_latents(METHODS.create(key[2]), latents, samples, embedding)
            with self._timed("find_neighbors", key):
                find_graph(embedding, samples, run.neighbors, neighbors)
            metrics, scores, weights = self._at(
                key, book.METRICS, book.SCORES, book.SAMPLING_WEIGHTS
            )
            with self._timed("measure_embedding", key):
                measure_embedding(
                    embedding,
                    neighbors,
                    samples,
                    self.metrics,
                    run.statistics,
                    run.density,
                    run.neighbors,
                    metrics,
                    scores,
                    weights,
                )
        for key in results.scored:
            embedding, neighbors, outliers = self._at(
                key, book.EMBEDDING, book.NEIGHBORS, book.OUTLIERS
            )
            write_outliers(embedding, neighbors, samples, run.outliers, outliers)
        rank_methods(
            results.methods,
            self._all(book.METRICS),
            self._all(book.SCORES),
            samples,
            run.headline,
            results.baselines,
            run.statistics,
            results.path(book.RANKING),
        )

    def targets(self) -> None:
        """Measure what is kept of targets, if there are any."""
        run, results, samples = self.run, self.results, self._all(book.SAMPLES)
        if not results.targeted:
            return
        targets, facts = results.path(book.TARGETS), results.path(book.TARGET_FACTS)
        aside = results.path(book.TARGET_QUARANTINE)
        resolve_targets(run.target_entries, samples, None, targets, facts, aside)
        for key in results.targeted_methods:
            embedding, neighbors = self._at(key, book.EMBEDDING, book.NEIGHBORS)
            kept, draws, predictions = self._at(key, book.KEPT, book.KEPT_DRAWS, book.PREDICTIONS)
            measure_targets(
                embedding,
                neighbors,
                samples,
                targets,
                facts,
                run.statistics,
                kept,
                draws,
                predictions,
            )
        compare_targets(
            results.targeted_methods,
            self._all(book.KEPT),
            self._all(book.KEPT_DRAWS),
            facts,
            results.baselines,
            run.statistics,
            results.path(book.WHAT_IS_KEPT),
        )

    def maps(self) -> None:
        """Make all maps, and say how far to trust them."""
        run, results, samples = self.run, self.results, self._all(book.SAMPLES)
        for key in results.maps:
            embedding, neighbors = self._at(key[:3], book.EMBEDDING, book.NEIGHBORS)
            projection = PROJECTIONS.create(**created(run.projection_of(key[0], key[3])))
            with self._timed("project_embedding", key):
                output = results.path(book.PROJECTION, *key)
                project_embedding(embedding, neighbors, samples, projection, output)
        projections = [created(run.projection(name)) for name in results.projections]
        for key in results.mapped:
            places, trusts = (
                [results.path(kind, *key, name) for name in results.projections]
                for kind in (book.PROJECTION, book.TRUST)
            )
            embedding, neighbors = self._at(key, book.EMBEDDING, book.NEIGHBORS)
            assess_maps(
                embedding,
                neighbors,
                samples,
                places,
                [PROJECTIONS.create(**one) for one in projections],
                run.trust,
                trusts,
                run.is_measured,
            )

    def comparisons(self) -> None:
        """Compare methods, their maps, and the channels of latents."""
        run, results, samples = self.run, self.results, self._all(book.SAMPLES)
        for key in results.latents:
            where = dict(zip(("encoder", "variant"), key, strict=True))
            embeddings, neighbors, metrics = (
                {one[2]: results.path(kind, *one) for one in results.keys(kind, **where)}
                for kind in (book.EMBEDDING, book.NEIGHBORS, book.METRICS)
            )
            agreement, map_agreement = self._at(key, book.AGREEMENT, book.MAP_AGREEMENT)
            compare_embeddings(embeddings, neighbors, samples, agreement)
            placed = results.keys(book.PROJECTION, **where)
            places = [results.path(book.PROJECTION, *one) for one in placed]
            names = [(method, projection) for _, _, method, projection in placed]
            compare_maps(names, places, samples, map_agreement)
            if key in results.labelled_latents:
                trace_learning(
                    embeddings,
                    neighbors,
                    metrics,
                    samples,
                    run.headline,
                    traced(run.headline, self.metrics),
                    run.neighbors,
                    run.statistics.seed,
                    results.path(book.LEARNING, *key),
                )
        for key in results.inspected:
            channels, positions, maps = self._at(
                key, book.CHANNELS, book.POSITIONS, book.CHANNEL_MAPS
            )
            inspect_latents(
                results.paths(book.LATENTS, encoder=key[0], variant=key[1]),
                samples,
                run.inspection,
                run.neighbors.metric,
                metrics=channels,
                positions=positions,
                maps=maps,
            )

    def report(self) -> None:
        """Write the tables and all pages."""
        results = self.results
        kept = next(iter(self._all(book.WHAT_IS_KEPT)), None)
        write_metrics_table(
            results.methods,
            self._all(book.METRICS),
            {key[-1]: METHODS.description(key[-1]) for key in results.methods},
            csv=results.path(book.METRICS_CSV),
            json=results.path(book.METRICS_JSON),
            parquet=results.path(book.METRICS_PARQUET),
            copies=self._all(book.REPORTED_METRICS),
            kept=kept,
        )
        if kept is not None:
            write_targets_table(
                kept, results.path(book.TARGETS_CSV), results.path(book.TARGETS_PARQUET)
            )
        write_assets(results)
        write_picture_names(results)
        for page in pages_of(results):
            names = page.scope.value
            wildcards = page.file.wildcards
            jobs = dict.fromkeys(
                tuple(key[wildcards.index(name)] for name in names)
                for key in results.keys(page.file)
            )
            for job in jobs:
                page.write(results, **dict(zip(names, job, strict=True)))

    def explorer(self, bundle: Path) -> None:
        """Write the explorer.

        Args:
            bundle: folder of the built page.
        """
        from latentmap.explorer.page import write_page
        from latentmap.explorer.write import write_explorer

        write_explorer(self.results)
        write_page(bundle, self.results.path(book.EXPLORER_PAGE).parent)

    def _all(self, artifact: Artifact[Any]) -> list[Path]:
        return self.results.paths(artifact)

    def _at(self, key: Key, *artifacts: Artifact[Any]) -> list[Path]:
        return [self.results.path(artifact, *key) for artifact in artifacts]

    @contextmanager
    def _timed(self, rule: str, key: Sequence[str]) -> Iterator[None]:
        """Keep how long a job took, where Snakemake keeps it: pages of costs read it there."""
        self.say(f"{rule.replace('_', ' ')}: {' '.join(key)}")
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        write_text(self.results.address(book.BENCHMARK, "/".join([rule, *key])), f"s\n{seconds}\n")


def _no_download(name: str) -> Path:
    raise AssertionError(f"{name} is in memory")
