"""The address book of a run: which files it has, where they lie, and how they are opened.

Rules take their paths from here, and whatever looks at results (pages, exports, a notebook) opens
them through here. Jobs that compute are given paths and never import this module: what they depend
on follows their imports, and a new kind of file must not compute anything again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from string import Formatter
from typing import Any, Generic, TypeVar

import pyarrow as pa

from latentmap.errors import LatentmapError
from latentmap.store.files import read_json, read_plain_json, reading, write_json
from latentmap.store.latents import LatentShard, read_latents
from latentmap.store.manifest import Shard, read_manifest
from latentmap.store.maps import PlacedSamples, read_map
from latentmap.store.stamp import read_stamped_text
from latentmap.store.tables import read_arrow, read_embedding, read_parquet

RUNS = "results"
"""The folder of all runs."""

CONFIG = "config.yaml"
"""In the folder of a run: its configuration, if `latentmap run` or `lm.report` made it."""

NAMED_RUNS = 5
"""Runs that are named where the one that is asked for is not there."""

T = TypeVar("T")
Key = tuple[str, ...]
"""What a file is of: the values of its wildcards, such as (encoder, variant, method)."""


@dataclass(frozen=True)
class Artifact(Generic[T]):
    """One kind of file of a run.

    Attributes:
        pattern: path below the run's folder; wildcards in the order of a key.
        keys: gives what there is one of, in the run's order.
        read: opens one, and checks that it is what was written, where it was written.
        of_reference: whether it is the reference run's.
        with_baselines: whether it is read of one encoder together with the baselines' own, which
            an encoder is held against.
    """

    pattern: str
    keys: Callable[[Results], Iterable[Key]]
    read: Callable[[Path], T]
    of_reference: bool = False
    with_baselines: bool = False

    @property
    def wildcards(self) -> tuple[str, ...]:
        """Names of the wildcards, in the order of a key."""
        return tuple(name for _, name, _, _ in Formatter().parse(self.pattern) if name)

    def below(self, folder: Path, *key: str) -> Path:
        """Return the path of one in a run's folder."""
        return folder / self.pattern.format(**dict(zip(self.wildcards, key, strict=True)))

    @property
    def bundled(self) -> Artifact[T]:
        """Of a kind of page, the files that need no other."""
        return replace(self, pattern=self.pattern.replace("report/", "bundled/", 1))

    def over(self, keys: str) -> Artifact[T]:
        """Return these files of fewer keys: an attribute of `Results`."""
        return replace(self, keys=attrgetter(keys))

    @property
    def theirs(self) -> Artifact[T]:
        """The same files of the reference run, where there is one."""
        return replace(self, of_reference=True)

    @property
    def beside_baselines(self) -> Artifact[T]:
        """These files of one encoder, and those of the baselines in the same variant."""
        return replace(self, with_baselines=True)


@dataclass(frozen=True)
class EncoderFacts:
    """What a run says of one encoder.

    Attributes:
        name: in the run.
        kind: the plug-in.
        is_baseline: whether it knows nothing of the data.
        has_channels: whether its latents are feature maps.
        methods: pooling methods that are measured.
        compared: those whose sources, and maps, may be compared with another run's.
        mapped: those that get maps.
        left_out: why others are not measured.
    """

    name: str
    kind: str
    is_baseline: bool
    has_channels: bool
    methods: list[str]
    compared: list[str]
    mapped: list[str]
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class RunFacts:
    """What must be known to open a run: its folder carries it.

    Attributes:
        config: the whole configuration, as plain values.
        encoders: in their order.
        dims: of each map, by its name.
        labelled: whether its samples may have labels, of which anything is measured.
        revisions: what identifies the weights of each encoder; empty where it has none.
        origins: what is known of where its latents come from.
    """

    config: Mapping[str, Any]
    encoders: tuple[EncoderFacts, ...]
    dims: Mapping[str, int]
    labelled: bool
    revisions: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def write_run_facts(path: Path, facts: RunFacts) -> None:
    """Write what must be known to open a run, unless the file says so already."""
    with suppress(LatentmapError):
        if read_run_facts(path) == facts:
            return
    write_json(path, asdict(facts), sort_keys=False)  # the order of encoders, maps and keys counts


def read_run_facts(path: Path | str) -> RunFacts:
    """Read what `write_run_facts` wrote.

    Raises:
        LatentmapError: there is none, or it is damaged.
    """
    content = read_json(path)
    with reading(path, "a description of a run"):
        encoders = tuple(EncoderFacts(**encoder) for encoder in content.pop("encoders"))
        return RunFacts(**content, encoders=encoders)


class Results:
    """The files of one run.

    Args:
        folder: of the run.
        facts: what the run is made of.
        shards: gives the ids of its shards; by default they are in its manifest.

    Attributes:
        folder: of the run.
        facts: what the run is made of.
    """

    def __init__(
        self,
        folder: Path | str,
        facts: RunFacts,
        shards: Callable[[], Iterable[str]] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.facts = facts
        self._shards = shards
        self._readable: Collection[tuple[str, bool]] | None = None
        self._options: Collection[str] | None = None

    @classmethod
    def open(cls, folder: Path | str, shards: Sequence[str] | None = None) -> Results:
        """Open a run by its folder alone.

        Args:
            folder: of the run.
            shards: ids of its shards; by default they are in its manifest.

        Raises:
            LatentmapError: the folder has no run.
        """
        described = RUN.below(Path(folder))
        if not described.exists():
            raise LatentmapError(_no_run(Path(folder)))
        facts = RUN.read(described)
        return cls(folder, facts, None if shards is None else lambda: shards)

    # ---- what there is one of ------------------------------------------------------------------

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration, as plain values."""
        return self.facts.config

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.config["run"])

    @property
    def run(self) -> list[Key]:
        """The key of what there is one of: nothing."""
        return [()]

    @property
    def shards(self) -> list[str]:
        """Ids of the shards of samples."""
        return self._sealed if self._shards is None else list(self._shards())

    @cached_property
    def _sealed(self) -> list[str]:
        shards = [shard.id for shard in self.read(MANIFEST)]
        if not shards:
            raise LatentmapError(
                f"{self.folder} has no samples yet: the run is not finished. Run snakemake again."
            )
        return shards

    @property
    def sample_shards(self) -> list[Key]:
        """(shard) of every shard of samples."""
        return [(shard,) for shard in self.shards]

    @property
    def encoders(self) -> list[Key]:
        """(encoder) of every encoder."""
        return [(encoder.name,) for encoder in self.facts.encoders]

    @property
    def baselines(self) -> list[str]:
        """Names of the encoders that know nothing of the data."""
        return [encoder.name for encoder in self.facts.encoders if encoder.is_baseline]

    @cached_property
    def latents(self) -> list[Key]:
        """(encoder, variant) of all latents."""
        return self._of_encoders(lambda encoder: [()])

    @property
    def labelled_latents(self) -> list[Key]:
        """(encoder, variant) of all latents, if samples may have labels."""
        return self.latents if self.facts.labelled else []

    @cached_property
    def inspected(self) -> list[Key]:
        """(encoder, variant) of the latents that have channels."""
        return self._of_encoders(lambda encoder: [()] if encoder.has_channels else [])

    @property
    def latent_shards(self) -> list[Key]:
        """(encoder, variant, shard) of every shard of latents."""
        shards = self.shards
        return [(*key, shard) for key in self.latents for shard in shards]

    @cached_property
    def methods(self) -> list[Key]:
        """(encoder, variant, method) of every embedding."""
        return self._of_encoders(lambda encoder: [(method,) for method in encoder.methods])

    @cached_property
    def mapped(self) -> list[Key]:
        """(encoder, variant, method) of the embeddings that get maps."""
        return list(dict.fromkeys(key[:3] for key in self.maps))

    def lacks_map(self, encoder: str, variant: str, method: str) -> str | None:
        """Say that an embedding has no map, and how to get one; None if it has, or can have none.

        Args:
            encoder: its name.
            variant: of the images.
            method: the pooling method.
        """
        comparable = next(one.compared for one in self.facts.encoders if one.name == encoder)
        if (encoder, variant, method) in self.mapped or method not in comparable:
            return None
        maps = self.config["maps"]
        if maps == "all" or method in maps:
            return f"{method} has no map: 'projections' of the run asks for none."
        return (
            f"{method} has no map. To make it, run again with --config "
            f"maps={','.join([*maps, method])}; only its maps and the pages are made."
        )

    @property
    def scored(self) -> list[Key]:
        """(encoder, variant, method) of the embeddings with maps whose outliers are looked for."""
        return self.mapped if self.facts.labelled else []

    @cached_property
    def maps(self) -> list[Key]:
        """(encoder, variant, method, projection) of every map."""
        return self._of_encoders(
            lambda encoder: [(m, name) for m in encoder.mapped for name in self.projections]
        )

    @property
    def projections(self) -> list[str]:
        """Names of the maps that are made of an embedding."""
        return list(self.facts.dims)

    @cached_property
    def solid_maps(self) -> list[Key]:
        """(encoder, variant, method, projection) of the maps in three dimensions."""
        return [key for key in self.maps if self.facts.dims[key[3]] == 3]

    @cached_property
    def compared(self) -> list[Key]:
        """(encoder, variant, method) of the embeddings in which sources are compared."""
        if self.config["reference_run"] is None and len(self.config["samples"]["sources"]) == 1:
            return []
        return self._of_encoders(lambda encoder: [(method,) for method in encoder.compared])

    @property
    def annotated(self) -> list[Key]:
        """The key of the annotations, where there are any."""
        return self.run if self.config["annotations"] else []

    @property
    def targeted(self) -> list[Key]:
        """The key of the targets, where there are any."""
        return self.run if self.config.get("targets") else []

    @property
    def targeted_methods(self) -> list[Key]:
        """(encoder, variant, method) of every embedding, if there are targets."""
        return self.methods if self.targeted else []

    @property
    def paired(self) -> list[Key]:
        """The key of the counterfactual pairs, where there are any."""
        return self.run if self.config.get("pairs") else []

    @property
    def explored(self) -> list[Key]:
        """The key of the explorer, if there is to be one."""
        return self.run if self.config.get("explorer") else []

    @property
    def whole_pictures(self) -> list[Key]:
        """The key of the explorer's pictures, if it has any: pages show these."""
        return self.explored if self.explored and self.config["explorer"]["pictures"] else []

    @property
    def own_pictures(self) -> list[Key]:
        """The key of the report's own pictures, where they are neither there nor elsewhere."""
        size, url = (self.config["report"][name] for name in ("pictures", "image_url"))
        return self.run if size and url is None and not self.whole_pictures else []

    @property
    def exported_latents(self) -> list[Key]:
        """(encoder, variant, format) of the latents to export."""
        return self._in_formats(self.latents) if self.config["export"]["latents"] else []

    @property
    def exported_methods(self) -> list[Key]:
        """(encoder, variant, method, format) of the embeddings to export."""
        return self._in_formats(self.methods)

    def _in_formats(self, keys: Iterable[Key]) -> list[Key]:
        return [(*key, name) for key in keys for name in self.config["export"]["formats"]]

    def _of_encoders(self, ends: Callable[[EncoderFacts], Iterable[Key]]) -> list[Key]:
        return [
            (encoder.name, variant, *end)
            for encoder in self.facts.encoders
            for variant in self.config["variants"]
            for end in ends(encoder)
        ]

    # ---- where it lies -------------------------------------------------------------------------

    def of(self, artifact: Artifact[Any]) -> Results:
        """Return the run that these files are of: this one, or its reference."""
        return self.reference if artifact.of_reference else self

    @cached_property
    def reference(self) -> Results:
        """The finished run whose maps the samples of this one are placed into.

        It may have more than this run asks for; its keys are those of this run, its shards those
        that have samples.
        """
        folder = self.folder.parent / str(self.config["reference_run"])
        manifest = MANIFEST.below(folder)
        return Results(
            folder, self.facts, lambda: [one.id for one in read_manifest(manifest) if one.rows]
        )

    def keys(self, artifact: Artifact[Any], **where: str) -> list[Key]:
        """Return what there is one of these files of.

        Args:
            artifact: the kind of file.
            where: values that wildcards of these names must have; other names do not count.
        """
        if artifact.of_reference and self.config["reference_run"] is None:
            return []
        allowed = {name: {value} for name, value in where.items()}
        if artifact.with_baselines and "encoder" in allowed:
            allowed["encoder"].update(self.baselines)
        names = artifact.wildcards
        return [
            key
            for key in artifact.keys(self.of(artifact))
            if all(
                name not in allowed or value in allowed[name]
                for name, value in zip(names, key, strict=True)
            )
        ]

    def pattern(self, artifact: Artifact[Any]) -> str:
        """Return the path of a kind of file, with its wildcards."""
        return f"{self.of(artifact).folder}/{artifact.pattern}"

    def address(self, artifact: Artifact[Any], *key: str) -> Path:
        """Return where one file lies, to write it or to link to it."""
        return artifact.below(self.of(artifact).folder, *key)

    def path(self, artifact: Artifact[Any], *key: str) -> Path:
        """Return the path of one file to open.

        Raises:
            LatentmapError: these results were limited to others.
        """
        if self._readable is not None and _identity(artifact) not in self._readable:
            raise LatentmapError(f"{artifact.pattern} is not among what this page says it reads.")
        return self.address(artifact, *key)

    def paths(self, artifact: Artifact[Any], **where: str) -> list[Path]:
        """Return the paths of these files; `where` as for `keys`."""
        return [self.path(artifact, *key) for key in self.keys(artifact, **where)]

    def patterns(self, artifact: Artifact[Any], *wildcards: str) -> list[str]:
        """Return the paths of these files with wildcards of these names only, in their order."""
        names = artifact.wildcards
        return list(
            dict.fromkeys(
                str(
                    self.address(artifact, *(f"{{{n}}}" if n in wildcards else v for n, v in found))
                )
                for found in (tuple(zip(names, key, strict=True)) for key in self.keys(artifact))
            )
        )

    def job(self, artifact: Artifact[Any], rule: str, wildcards: Iterable[str] = ()) -> str:
        """Return the pattern of a rule's logs or benchmarks.

        Args:
            artifact: `LOG` or `BENCHMARK`.
            rule: its name.
            wildcards: names of those of its jobs.
        """
        return str(self.address(artifact, "/".join([rule, *(f"{{{n}}}" for n in wildcards)])))

    def values(self, artifact: Artifact[Any], wildcard: str) -> list[str]:
        """Return the values of one wildcard of these files."""
        place = artifact.wildcards.index(wildcard)
        return list(dict.fromkeys(key[place] for key in self.keys(artifact)))

    # ---- what it holds -------------------------------------------------------------------------

    def read(self, artifact: Artifact[T], *key: str) -> T:
        """Open one file.

        Raises:
            LatentmapError: it is missing, damaged, of another version or of another place.
        """
        return artifact.read(self.path(artifact, *key))

    def read_all(self, artifact: Artifact[T], **where: str) -> dict[Key, T]:
        """Open these files, by their keys; `where` as for `keys`."""
        return {key: self.read(artifact, *key) for key in self.keys(artifact, **where)}

    def option(self, name: str) -> Any:
        """Return an option of the configuration, or all options of a part, by its dotted key.

        Raises:
            LatentmapError: these results were limited to others, or an earlier version, which
                knew of no such option, made them.
        """
        if self._options is not None and name not in self._options:
            raise LatentmapError(f"{name} is not among the options that this page says it needs.")
        value: Any = self.config
        for part in name.split("."):
            if part not in value:
                raise LatentmapError(
                    f"{self.address(RUN)} does not say '{name}': an earlier version wrote it. Run "
                    "snakemake again."
                )
            value = value[part]
        return value

    def limited_to(self, artifacts: Iterable[Artifact[Any]], options: Iterable[str]) -> Results:
        """Return these results for a reader of these kinds of files and options only."""
        limited = Results(self.folder, self.facts, self._shards or (lambda: self.shards))
        limited._readable = set(map(_identity, artifacts))
        limited._options = set(options)
        return limited


def _identity(artifact: Artifact[Any]) -> tuple[str, bool]:
    return artifact.pattern, artifact.of_reference


_EMBEDDED = "{encoder}/{variant}/{method}"


def _no_run(folder: Path) -> str:
    """Say that a folder has no run, and where there are some."""
    there = sorted(path.parent for path in folder.parent.glob(f"*/{RUN.pattern}"))
    inside = sorted(path.parent for path in folder.glob(f"*/{RUN.pattern}"))
    names = ", ".join(map(str, (inside or there)[:NAMED_RUNS]))
    what = "has no run" if folder.is_dir() else "is no folder"
    said = f"There are: {names}." if names else "Give the folder of its results."
    return f"{folder} {what}. {said}"


_RUN = attrgetter("run")
_SHARDS = attrgetter("sample_shards")
_LATENTS = attrgetter("latents")
_INSPECTED = attrgetter("inspected")
_METHODS = attrgetter("methods")
_MAPS = attrgetter("maps")
_TARGETED = attrgetter("targeted")
_PAIRED = attrgetter("paired")
_TARGETED_METHODS = attrgetter("targeted_methods")

RUN = Artifact("run.json", _RUN, read_run_facts)
PLAN = Artifact("plan.json", _RUN, read_json)

DOWNLOAD = Artifact("samples/download/{source}.parquet", lambda results: [], read_parquet)
SAMPLES: Artifact[pa.Table] = Artifact("samples/{shard}.arrow", _SHARDS, read_arrow)
SHARD_QUARANTINE = Artifact("samples/quarantine/{shard}.parquet", _SHARDS, read_parquet)
MANIFEST: Artifact[list[Shard]] = Artifact("samples/manifest.json", _RUN, read_manifest)
QUARANTINE = Artifact("samples/quarantine.parquet", _RUN, read_parquet)
ANNOTATIONS = Artifact("samples/annotations.parquet", attrgetter("annotated"), read_parquet)
THUMBNAILS: Artifact[pa.Table] = Artifact("thumbnails/{shard}.arrow", _SHARDS, read_arrow)

FIT = Artifact("latents/{encoder}/fit.parquet", attrgetter("encoders"), read_parquet)
LATENTS: Artifact[LatentShard] = Artifact(
    "latents/{encoder}/{variant}/{shard}.arrow", attrgetter("latent_shards"), read_latents
)
EMBEDDING = Artifact(f"embeddings/{_EMBEDDED}.parquet", _METHODS, read_embedding)
NEIGHBORS = Artifact(f"neighbors/{_EMBEDDED}.parquet", _METHODS, read_parquet)

METRICS = Artifact(f"metrics/{_EMBEDDED}.json", _METHODS, read_json)
SCORES = Artifact(f"metrics/{_EMBEDDED}.scores.parquet", _METHODS, read_parquet)
SAMPLING_WEIGHTS = Artifact(f"metrics/{_EMBEDDED}.sampling_weights.parquet", _METHODS, read_parquet)
OUTLIERS = Artifact(f"metrics/{_EMBEDDED}.outliers.parquet", attrgetter("scored"), read_parquet)
SOURCE_METRICS = Artifact(f"metrics/{_EMBEDDED}.sources.json", attrgetter("compared"), read_json)
AGREEMENT = Artifact("metrics/{encoder}/{variant}/agreement.json", _LATENTS, read_json)
LEARNING = Artifact(
    "metrics/{encoder}/{variant}/learning.json", attrgetter("labelled_latents"), read_json
)
RANKING = Artifact("metrics/ranking.json", _RUN, read_json)

TARGETS = Artifact("targets/targets.parquet", _TARGETED, read_parquet)
TARGET_FACTS = Artifact("targets/targets.json", _TARGETED, read_json)
TARGET_QUARANTINE = Artifact("targets/quarantine.parquet", _TARGETED, read_parquet)
KEPT = Artifact(f"targets/{_EMBEDDED}.parquet", _TARGETED_METHODS, read_parquet)
KEPT_DRAWS = Artifact(f"targets/{_EMBEDDED}.draws.parquet", _TARGETED_METHODS, read_parquet)
PREDICTIONS = Artifact(f"targets/{_EMBEDDED}.predictions.parquet", _TARGETED_METHODS, read_parquet)
WHAT_IS_KEPT = Artifact("targets/what_is_kept.parquet", _TARGETED, read_parquet)
PAIRS = Artifact("targets/pairs.parquet", _PAIRED, read_parquet)

PROJECTION: Artifact[PlacedSamples] = Artifact(
    f"projections/{_EMBEDDED}/{{projection}}.parquet", _MAPS, read_map
)
TRUST = Artifact(f"projections/{_EMBEDDED}/{{projection}}.trust.parquet", _MAPS, read_parquet)
MAP_AGREEMENT = Artifact("projections/{encoder}/{variant}/agreement.json", _LATENTS, read_json)

CHANNELS = Artifact("inspection/{encoder}/{variant}/channels.json", _INSPECTED, read_json)
POSITIONS = Artifact("inspection/{encoder}/{variant}/positions.parquet", _INSPECTED, read_parquet)
CHANNEL_MAPS = Artifact("inspection/{encoder}/{variant}/maps.parquet", _INSPECTED, read_parquet)

SUMMARY: Artifact[str] = Artifact("report/summary_report.html", _RUN, read_stamped_text)
LABELS = Artifact("report/labels.json", _RUN, read_json)
VEGA: Artifact[str] = Artifact("report/assets/vega.js", _RUN, read_stamped_text)
PAGE_SCRIPT: Artifact[str] = Artifact("report/assets/page.js", _RUN, read_stamped_text)
PAGE_STYLE: Artifact[str] = Artifact("report/assets/page.css", _RUN, read_stamped_text)
SHOWN_SAMPLES: Artifact[str] = Artifact("report/assets/samples.js", _RUN, read_stamped_text)
DETAILS: Artifact[str] = Artifact("report/assets/details.js", _RUN, read_stamped_text)
ASSETS = (VEGA, PAGE_SCRIPT, PAGE_STYLE, SHOWN_SAMPLES, DETAILS)
"""What all pages of a report share, beside them."""

PICTURES = Artifact("report/assets/pictures", attrgetter("own_pictures"), Path)
WHOLE_PICTURES = Artifact("explorer/pictures", attrgetter("whole_pictures"), Path)
PICTURE_NAMES: Artifact[str] = Artifact("report/assets/pictures.js", _RUN, read_stamped_text)

METRICS_CSV = Artifact("report/metrics_table.csv", _RUN, Path)
METRICS_JSON = Artifact("report/metrics_table.json", _RUN, Path)
METRICS_PARQUET = Artifact("report/metrics_table.parquet", _RUN, read_parquet)
REPORTED_METRICS = Artifact(
    "report/{encoder}/{variant}/per_method/{method}/metrics.json", _METHODS, Path
)
TARGETS_CSV = Artifact("report/targets_table.csv", _TARGETED, Path)
TARGETS_PARQUET = Artifact("report/targets_table.parquet", _TARGETED, read_parquet)
COSTS_CSV = Artifact("report/costs.csv", _RUN, Path)
COSTS_JSON = Artifact("report/costs.json", _RUN, Path)
FIGURE = Artifact("report/{figure}", lambda results: [], Path)

COORDS = Artifact(f"export/{_EMBEDDED}/vis_{{projection}}_coords.npy", _MAPS, Path)
EXPORTED_METADATA = Artifact("export/metadata.csv", _RUN, Path)
EXPORTED_LATENTS = Artifact(
    "export/{encoder}/{variant}/latents.{format}", attrgetter("exported_latents"), Path
)
EXPORTED_EMBEDDING = Artifact(
    f"export/{_EMBEDDED}/embeddings.{{format}}", attrgetter("exported_methods"), Path
)
EXPORTED_POINTS = Artifact(
    f"export/{_EMBEDDED}/{{projection}}/embeddings_3d.json", attrgetter("solid_maps"), Path
)

EXPLORER: Artifact[Any] = Artifact(
    "explorer/manifest.json", attrgetter("explored"), read_plain_json
)
EXPLORER_PAGE = Artifact("explorer/index.html", attrgetter("explored"), Path)
EXPLORER_FILE = Artifact("explorer/explorer.html", attrgetter("explored"), Path)

LOG = Artifact("logs/{job}.log", lambda results: [], Path)
BENCHMARK = Artifact("benchmarks/{job}.tsv", lambda results: [], Path)
LOGS = Artifact("logs", _RUN, Path)


def page_file(name: str, keys: Callable[[Results], Iterable[Key]]) -> Artifact[str]:
    """Return the address of a kind of page.

    Args:
        name: path below the report's folder.
        keys: gives what there is one of.
    """
    return Artifact(f"report/{name}", keys, read_stamped_text)
