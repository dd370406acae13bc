"""The configuration of a whole run, assembled from the options of every stage and plug-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from latentmap.config import Options, Registry, unknown
from latentmap.draw.boxes import DrawOptions
from latentmap.draw.thumbnails import ThumbnailOptions
from latentmap.encode.encoder import ENCODERS, EncoderOptions, FittedEncoder
from latentmap.errors import LatentmapError
from latentmap.explorer.options import ExplorerOptions
from latentmap.export.options import ExportOptions
from latentmap.given import read_yaml
from latentmap.home import find_given
from latentmap.inspect.channels import InspectOptions
from latentmap.metrics.density import DensityOptions
from latentmap.metrics.inference import StatisticsOptions
from latentmap.metrics.metric import HEADLINE, METRICS, cannot_rank
from latentmap.metrics.outliers import OutlierOptions
from latentmap.names import FolderName, MapName, Title, check_free, check_together
from latentmap.neighbors.search import NeighborOptions
from latentmap.plugins import classes, use
from latentmap.pool.method import METHODS, name_of
from latentmap.project.projection import PROJECTIONS, ProjectionOptions
from latentmap.project.quality import TrustOptions
from latentmap.report.options import ReportOptions
from latentmap.samples.annotations import AnnotationOptions
from latentmap.samples.source import SOURCES, SourceOptions
from latentmap.store.results import RUNS, EncoderFacts, Results, RunFacts
from latentmap.targets.derivation import DERIVATIONS
from latentmap.targets.options import OneDerivation, TargetOptions, check_targets, read_entry
from latentmap.targets.pairs import PairOptions
from latentmap.validation import complaints

_KNOWN = classes()
"""Plug-ins of others that `Run` knows."""

TEXTS = ("run", "input", "reference_run")
"""Keys whose value on the command line is text as it was typed; that of others is YAML."""

COMMON_MAP, COMMON_VECTOR = (16, 64, 64), (1024,)
"""Shapes of latents where an encoder does not say its own before it is loaded."""

DEFAULT_MAPS: dict[str, Any] = {"pca": {}, "tsne": {}, "umap": {}}


def _kinds(registry: Registry[Any]) -> Any:
    """Return the union of the options of all plug-ins, told apart by `kind`."""
    models = [
        create_model(
            registry[name].Options.__name__,
            __base__=registry[name].Options,
            kind=(Literal[name], ...),  # type: ignore[arg-type]
        )
        for name in registry
    ]
    return Annotated[Union[tuple(models)], Field(discriminator="kind")]  # noqa: UP007


def _over_default_maps(projections: Any) -> Any:
    """Lay maps over the default ones; `umap: {}` stands for `umap: {kind: umap}`."""
    if not isinstance(projections, Mapping) or not projections:
        return projections
    return {
        name: {"kind": name, **options} if isinstance(options, Mapping) else options
        for name, options in {**DEFAULT_MAPS, **projections}.items()
    }


def _refuse_former_name(given: Any) -> Any:
    ours = name_of(given) if isinstance(given, str) else given
    if ours != given and ours in METHODS.names():
        raise ValueError(f"'{given}' is called '{ours}' here")
    return given


def _methods() -> Any:
    """Return the type of a pooling method's name."""
    return Annotated[Literal[METHODS.names()], BeforeValidator(_refuse_former_name)]


def _metrics() -> type[Options]:
    """Return the options of all metrics, each by its name."""
    fields: dict[str, Any] = {
        name: (METRICS[name].Options | None, METRICS[name].Options()) for name in METRICS
    }
    return create_model("MetricsOptions", __base__=Options, **fields)


def _targets() -> Any:
    """Return the type of an entry of `targets`, with the options of all that derives some."""
    derivations: dict[str, Any] = {
        name: (DERIVATIONS[name].Options | None, None) for name in DERIVATIONS
    }
    one: Any = create_model("OneDerivation", __base__=OneDerivation, **derivations)
    target: Any = create_model("TargetOptions", __base__=TargetOptions, derived=(one | None, None))
    return Annotated[target, BeforeValidator(read_entry, json_schema_input_type=target | str)]


# What the plug-ins' files decide is for the type checker what they have in common.
if TYPE_CHECKING:
    Method = str
    MetricsOptions = Options
    AnySource = SourceOptions
    AnyEncoder = EncoderOptions
    AnyProjection = ProjectionOptions
    AnyTarget = TargetOptions
else:
    Method = _methods()
    MetricsOptions = _metrics()
    AnySource = _kinds(SOURCES)
    AnyEncoder = _kinds(ENCODERS)
    AnyProjection = _kinds(PROJECTIONS)
    AnyTarget = _targets()


class LabelGroup(Options):
    """A coarser class of labels.

    Attributes:
        color: of its points, as #rrggbb; the next of the palette by default.
        labels: the labels in it.
    """

    color: str | None = Field(None, pattern=r"^#[0-9A-Fa-f]{6}$")
    labels: tuple[str, ...]


def _read_label_groups(groups: Any) -> Any:
    """Read the file that stands in the place of label groups; null is none."""
    if not isinstance(groups, str):
        return {} if groups is None else groups
    return read_yaml(find_given(str(Path(groups).expanduser())))


LabelGroups = Annotated[
    dict[Title, LabelGroup],
    BeforeValidator(_read_label_groups, json_schema_input_type=dict[str, LabelGroup] | str | None),
]


class SamplesOptions(Options):
    """Which samples a run is made of.

    Attributes:
        sources: where they come from; several are concatenated, each with a `name` of its own.
        num_samples: at most this many: the first ones or, stratified, a share of each label.
        stratify: keep the shares of the labels when `num_samples` limits them; of samples without
            labels, take any at random.
        seed: of the stratified choice.
        shard_size: samples per shard: one encoding job each. On a GPU, some minutes of work.
    """

    sources: tuple[AnySource, ...] = Field(min_length=1)
    num_samples: int | None = Field(None, ge=1)
    stratify: bool = False
    seed: int = 0
    shard_size: int = Field(512, ge=1)


class Run(Options):
    """One run: everything that a configuration may say.

    Attributes:
        run: name of the run; its results are in `results/{run}/`. Letters A to Z, digits, `.`, `_`
            and `-`, as for encoders.
        input: path or id of the data, given to every source and encoder that names none.
        plugins: modules with plug-ins of your own, installed or beside the current folder
            (`my_methods`, `my_package.metrics`).
        samples: which samples.
        annotations: tables of other tools, such as predictions, that are joined to the samples.
        label_groups: coarser classes of labels with their colours, or the path of a YAML file of
            them (`resources/label_groups/spatialrgpt.yaml`); an unlisted label is its own group.
        variants: how images are shown to the encoders: `plain`, with their `boxes` drawn, or both.
        draw: how boxes are drawn.
        thumbnails: the small pictures shown on hover.
        encoders: the encoders to compare; give two of a kind a `name` each.
        methods: pooling methods to measure; all by default.
        neighbors: the neighbor graph.
        density: the local density of samples, and the sampling weights made from it.
        outliers: the scores by which samples unlike others of their label are found.
        metrics: options of each metric; `null` leaves one out.
        headline: the metric that ranks methods; one that cannot is answered with those that can.
            Where all samples share one source group, its twin without `_grouped` ranks.
        targets: properties of the samples of which it is measured how much embeddings keep, after
            `label` and `label_group`; none by default.
        pairs: which samples show the same but for one thing, and what: it is measured whether this
            is a direction in an embedding, and how large; none by default.
        statistics: how chance and uncertainty are estimated.
        projections: maps by name, such as `umap3d: {kind: umap, dims: 3}`, added to the default
            ones; `null` leaves one out, `{}` makes none.
        maps: pooling methods that get maps; all by default.
        trust: how the trust in maps is measured.
        reference_run: name of a finished run into whose maps this run's samples are placed, and
            with which they are compared.
        inspection: how the channels of latents are compared.
        report: what the report shows.
        export: what `snakemake exports` and `snakemake coords` write.
        explorer: the page with every sample on every map; `null` makes none.
    """

    run: FolderName = Field(min_length=1)
    input: str | None = None
    plugins: tuple[str, ...] = ()
    samples: SamplesOptions
    annotations: tuple[AnnotationOptions, ...] = ()
    label_groups: LabelGroups = Field(default_factory=dict)
    variants: tuple[Literal["plain", "boxes"], ...] = Field(("plain",), min_length=1)
    draw: DrawOptions = DrawOptions()
    thumbnails: ThumbnailOptions = ThumbnailOptions()
    encoders: tuple[AnyEncoder, ...] = Field(min_length=1)
    methods: Literal["all"] | Annotated[tuple[Method, ...], Field(min_length=1)] = "all"
    neighbors: NeighborOptions = NeighborOptions()
    density: DensityOptions = DensityOptions()
    outliers: OutlierOptions = OutlierOptions()
    metrics: MetricsOptions = MetricsOptions()
    headline: str = HEADLINE
    targets: tuple[AnyTarget, ...] = ()
    pairs: PairOptions | None = None
    statistics: StatisticsOptions = StatisticsOptions()
    projections: Annotated[
        dict[MapName, AnyProjection | None], BeforeValidator(_over_default_maps)
    ] = Field(default_factory=lambda: {**DEFAULT_MAPS}, validate_default=True)
    maps: Literal["all"] | tuple[Method, ...] = "all"
    trust: TrustOptions = TrustOptions()
    reference_run: FolderName | None = Field(None, min_length=1)
    inspection: InspectOptions = InspectOptions()
    report: ReportOptions = ReportOptions()
    export: ExportOptions = ExportOptions()
    explorer: ExplorerOptions | None = ExplorerOptions()

    @field_validator("metrics", "projections", mode="before")
    @classmethod
    def _take_null(cls, parts: Any) -> Any:
        """Take null in the place of all options as no change of any."""
        return {} if parts is None else parts

    @field_validator("projections")
    @classmethod
    def _name_maps(cls, projections: dict[str, Any]) -> dict[str, Any]:
        check_together(projections)
        return projections

    @field_validator("targets", mode="before")
    @classmethod
    def _take_no_targets(cls, targets: Any) -> Any:
        """Take null as no targets."""
        return () if targets is None else targets

    @field_validator("targets")
    @classmethod
    def _name_targets(cls, targets: tuple[TargetOptions, ...]) -> tuple[TargetOptions, ...]:
        try:
            check_targets(name for entry in targets if not entry.is_own for name in entry.names)
        except LatentmapError as error:
            raise ValueError(str(error).removesuffix(".")) from None
        return targets

    @field_validator("methods", "maps", "variants", "plugins", mode="before")
    @classmethod
    def _split_names(cls, names: Any) -> Any:
        """Take `methods=min,max`, as a command line has it, as a list."""
        if isinstance(names, str) and names != "all":
            return [name.strip() for name in names.split(",")]
        return names

    @field_validator("methods", "maps", "variants")
    @classmethod
    def _name_each_once(cls, names: Any) -> Any:
        if len(set(names)) < len(names) and not isinstance(names, str):
            raise ValueError(f"each name once, not {', '.join(names)}")
        return names

    @model_validator(mode="after")
    def _refer_to_another_run(self) -> Run:
        """Refuse a reference whose embeddings would not be comparable."""
        if self.reference_run is None:
            return self
        if self.reference_run == self.run:
            raise ValueError("reference_run names this run; give the name of another")
        fitted = [e for e in self.encoders if issubclass(ENCODERS[kind_of(e)], FittedEncoder)]
        if fitted:
            raise ValueError(
                f"encoder {fitted[0].name} is fitted to the samples of its own run, which makes "
                "its embeddings no others' equals; leave it out, or leave out reference_run"
            )
        return self

    @model_validator(mode="after")
    def _ask_for_enough_neighbors(self) -> Run:
        """Refuse what would need more neighbors than the graph has before anything runs."""
        parts = [(f"metrics.{name}.k", getattr(part, "k", 0)) for name, part in self.metrics]
        parts += [("density.k", self.density.k), ("outliers.k", self.outliers.k)]
        for name, part in self.projections.items():
            parts.append((f"projections.{name}.n_neighbors", getattr(part, "n_neighbors", 0)))
            parts.append((f"three times projections.{name}.perplexity", _needed(part)))
        for key, needed in parts:
            if needed > self.neighbors.k:
                raise ValueError(
                    f"{key} is {needed:g}, more than neighbors.k, {self.neighbors.k}; "
                    "raise neighbors.k or lower it"
                )
        return self

    @model_validator(mode="after")
    def _rank_by_what_is_measured(self) -> Run:
        """Refuse a headline that cannot rank; where the default is not measured, take another."""
        able = [
            name
            for metric, options in self.metrics
            if options is not None
            for name, column in METRICS[metric].columns.items()
            if column.ranks
        ]
        if self.headline in able:
            return self
        if "headline" in self.model_fields_set:
            raise ValueError(cannot_rank(self.headline, able))
        return self.model_copy(update={"headline": able[0]}) if able else self

    @model_validator(mode="after")
    def _measure_all_or_nothing(self) -> Run:
        """Refuse maps that were made elsewhere beside what is measured."""
        shown = [e.name for e in self.encoders if not ENCODERS[kind_of(e)].is_measured]
        if shown and self.is_measured:
            raise ValueError(
                f"encoder {shown[0]} shows coordinates, which are not measured beside others; "
                "give them a run of their own"
            )
        if shown and self.targets:
            raise ValueError(f"encoder {shown[0]} shows coordinates; leave out targets")
        return self

    @model_validator(mode="after")
    def _write_each_cache_by_itself(self) -> Run:
        """Refuse one path for several caches, and a cache of nothing."""
        found = self.cache_files
        if self.export.cache is not None and not found:
            raise ValueError("export.cache: the latents of all encoders are vectors; leave it out")
        if len(set(found.values())) < len(found):
            names = ", ".join(f"{encoder} ({variant})" for encoder, variant in found)
            raise ValueError(
                f"export.cache: one path for the latents of {names}; "
                "put {encoder} or {variant} into it"
            )
        return self

    @model_validator(mode="after")
    def _ask_for_methods_that_exist(self) -> Run:
        """Refuse methods of which none is defined for the latents of an encoder."""
        for encoder in self.encoders:
            left_out = self.left_out(encoder.name)
            if set(left_out) == set(self._chosen_methods):
                name, reason = next(iter(left_out.items()))
                raise ValueError(
                    f"none of the methods is defined for encoder {encoder.name}: {name} {reason}; "
                    "choose other methods, or a larger size"
                )
        return self

    @model_validator(mode="before")
    @classmethod
    def _share_input(cls, config: Any) -> Any:
        """Give the run's input to every source and encoder that could name one and does not."""
        if not isinstance(config, Mapping) or config.get("input") is None:
            return config
        config = {**config}
        samples = config.get("samples")
        if isinstance(samples, Mapping):
            sources = _with_input(samples.get("sources"), SOURCES, config["input"])
            config["samples"] = {**samples, "sources": sources}
        config["encoders"] = _with_input(config.get("encoders"), ENCODERS, config["input"])
        return config

    @field_validator("encoders")
    @classmethod
    def _name_encoders(cls, encoders: tuple[EncoderOptions, ...]) -> tuple[EncoderOptions, ...]:
        every = [part for e in encoders for part in ENCODERS[kind_of(e)].expanded(e)]
        named = tuple(e if e.name else e.model_copy(update={"name": kind_of(e)}) for e in every)
        check_together(encoder.name for encoder in named)
        for encoder in named:
            check_free(encoder.name)
        return named

    @field_validator("samples")
    @classmethod
    def _name_sources(cls, samples: SamplesOptions) -> SamplesOptions:
        named = tuple(
            s if s.name else s.model_copy(update={"name": kind_of(s)}) for s in samples.sources
        )
        check_together(source.name for source in named)
        return samples.model_copy(update={"sources": named})

    @property
    def label_to_group(self) -> dict[str, str]:
        """The group of every label that a group lists."""
        return {label: name for name, group in self.label_groups.items() for label in group.labels}

    @property
    def group_colors(self) -> dict[str, str | None]:
        """The colour of every configured group, none where the palette decides."""
        return {name: group.color for name, group in self.label_groups.items()}

    @property
    def target_entries(self) -> list[dict[str, Any]]:
        """The entries of `targets` as plain values, with the key of each.

        `derived` has a plug-in's name and options.
        """
        return [
            entry.model_dump(mode="json", exclude={"derived"})
            | {"key": f"targets.{place}", "derived": _derived(entry)}
            for place, entry in enumerate(self.targets)
            if not entry.is_own
        ]

    @property
    def labelled_sources(self) -> list[str]:
        """Names of the sources whose samples have labels."""
        return [s.name for s in self.samples.sources if SOURCES.create(**created(s)).has_labels]

    @property
    def cache_files(self) -> dict[tuple[str, str], str]:
        """Where the run writes caches of its feature maps, by encoder and variant."""
        path = self.export.cache
        if path is None:
            return {}
        return {
            (encoder.name, variant): path.format(encoder=encoder.name, variant=variant)
            for encoder in self.encoders
            if self.has_channels(encoder.name)
            for variant in self.variants
        }

    @property
    def is_measured(self) -> bool:
        """Whether anything is measured: not where all there is are maps made elsewhere."""
        return any(ENCODERS[kind_of(encoder)].is_measured for encoder in self.encoders)

    @property
    def measured(self) -> dict[str, Options]:
        """Options of each metric to measure: of data without labels those that need none."""
        labelled = bool(self.labelled_sources)
        return {
            name: options
            for name, options in self.metrics
            if options is not None
            and self.is_measured
            and (labelled or not METRICS[name].needs_labels)
        }

    @property
    def facts(self) -> RunFacts:
        """What must be known to open this run's results, but for the revisions of its weights."""
        encoders = tuple(
            EncoderFacts(
                name=options.name,
                kind=kind_of(options),
                is_baseline=ENCODERS[kind_of(options)].is_baseline,
                has_channels=self.has_channels(options.name),
                methods=self.pooling_methods(options.name),
                compared=self.comparable_methods(options.name),
                mapped=self.mapped_methods(options.name),
                left_out=self.left_out(options.name),
            )
            for options in self.encoders
        )
        dims = {name: self.projection(name).dims for name in self.map_names}
        labelled = bool(self.labelled_sources) and self.is_measured
        return RunFacts(self.model_dump(mode="json"), encoders, dims, labelled)

    @property
    def results(self) -> Results:
        """The files of this run."""
        return Results(Path(RUNS) / self.run, self.facts)

    def source(self, name: str) -> SourceOptions:
        """Return the options of one source."""
        return next(source for source in self.samples.sources if source.name == name)

    def encoder(self, name: str) -> EncoderOptions:
        """Return the options of one encoder."""
        return next(encoder for encoder in self.encoders if encoder.name == name)

    def projection(self, name: str) -> ProjectionOptions:
        """Return the options of one map."""
        options = self.projections[name]
        if options is None:
            raise LatentmapError(unknown("map", name, self.map_names))
        return options

    def projection_of(self, encoder: str, name: str) -> ProjectionOptions:
        """Return the options of one encoder's map."""
        return self.projection(name).beside(getattr(self.encoder(encoder), "input", None))

    @property
    def map_names(self) -> list[str]:
        """Names of the maps to make of each mapped embedding."""
        return [name for name, options in self.projections.items() if options is not None]

    def pooling_methods(self, encoder: str) -> list[str]:
        """Return the pooling methods to measure that are defined for an encoder's latents."""
        if not self.has_channels(encoder):
            return [name for name in METHODS if METHODS[name].accepts_vectors]
        left_out = self.left_out(encoder)
        return [name for name in self._chosen_methods if name not in left_out]

    def left_out(self, encoder: str) -> dict[str, str]:
        """Return why methods are left out whose latents or boxes are not there, by method.

        Where the shape of the latents is not known before they are made, none is left out for it.
        """
        if not self.has_channels(encoder):
            return {}
        found = {
            name: "needs boxes, and no source has any"
            for name in self._chosen_methods
            if METHODS[name].needs_regions and not self._has_boxes
        }
        shape = self._shapes[encoder]
        if shape is not None:
            obstacles = {name: METHODS[name].obstacle(shape) for name in self._chosen_methods}
            found |= {
                name: f"{obstacle}, and the latents have {shape[1]} × {shape[2]}"
                for name, obstacle in obstacles.items()
                if obstacle is not None
            }
        return found

    @property
    def _chosen_methods(self) -> tuple[str, ...]:
        return METHODS.names() if self.methods == "all" else self.methods

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, ...] | None]:
        """The shape of each encoder's latents, where that is known."""
        return {e.name: ENCODERS.create(**created(e)).shape() for e in self.encoders}

    @cached_property
    def _has_boxes(self) -> bool:
        """Whether any source may have boxes."""
        return any("boxes" in SOURCES.create(**created(s)).gives for s in self.samples.sources)

    def latent_shape(self, encoder: str) -> tuple[int, ...]:
        """Return the shape of an encoder's latents, or a common one where it is not known yet."""
        return self._shapes[encoder] or (
            COMMON_MAP if self.has_channels(encoder) else COMMON_VECTOR
        )

    def dims(self, encoder: str, method: str) -> int:
        """Return how long the vectors of an embedding are, by `latent_shape`."""
        return METHODS.create(method).dims(self.latent_shape(encoder))

    def has_channels(self, encoder: str) -> bool:
        """Return whether an encoder's latents are feature maps (C, H, W)."""
        return ENCODERS.create(**created(self.encoder(encoder))).rank == "map"

    def comparable_methods(self, encoder: str) -> list[str]:
        """Return the measured pooling methods whose embeddings mean the same as the reference's.

        Without a reference run, all; else those that do not depend on all samples of their run.
        """
        measured = self.pooling_methods(encoder)
        if self.reference_run is None:
            return measured
        return [name for name in measured if not METHODS[name].finishes()]

    def mapped_methods(self, encoder: str) -> list[str]:
        """Return the comparable pooling methods that get maps; of vectors, all."""
        measured = self.comparable_methods(encoder)
        if self.maps == "all" or not self.has_channels(encoder):
            return measured
        return [name for name in measured if name in self.maps]


def _needed(projection: ProjectionOptions | None) -> float:
    """Return the neighbors that t-SNE needs: three times its perplexity."""
    return 3 * float(getattr(projection, "perplexity", 0))


def _with_input(parts: Any, registry: Registry[Any], value: Any) -> Any:
    if not isinstance(parts, list | tuple):
        return parts
    return [
        {"input": value, **part}
        if isinstance(part, Mapping)
        and part.get("kind") in registry.names()
        and "input" in registry[part["kind"]].Options.model_fields
        else part
        for part in parts
    ]


def kind_of(options: Options) -> str:
    """Return the plug-in name that options were made for."""
    return str(options.kind)  # type: ignore[attr-defined]


def _derived(entry: TargetOptions) -> dict[str, Any] | None:
    if entry.derived is None:
        return None
    name, options = entry.derived.given
    return {"name": name, "options": options.model_dump(mode="json", exclude_unset=True)}


def created(options: Options) -> dict[str, Any]:
    """Return what `Registry.create` needs to make a plug-in, as plain values for a job.

    What is not configured is left to the defaults: a plug-in can tell what it was asked for.
    """
    plain = options.model_dump(mode="json", exclude={"kind"}, exclude_unset=True)
    return {"name": kind_of(options), "options": plain}


def load_run(config: Mapping[str, Any]) -> Run:
    """Validate a configuration.

    Raises:
        LatentmapError: names every wrong key or value, what is allowed and the nearest match.
    """
    use(_named_plugins(config))
    model = _model()
    try:
        return model.model_validate(dict(config))
    except ValidationError as error:
        lines = [f"  {line}" for line in complaints(error, model)]
        raise LatentmapError("The configuration is not valid:\n" + "\n".join(lines)) from None


def _named_plugins(config: Mapping[str, Any]) -> Sequence[str]:
    """Return the modules with plug-ins that a configuration names, before it is validated."""
    names = config.get("plugins") or ()
    if isinstance(names, str):
        return [name.strip() for name in names.split(",")]
    return [name for name in names if isinstance(name, str)]


def _model() -> type[Run]:
    """Return the model of a run, with plug-ins of others in it that came later than this module."""
    if classes() == _KNOWN:
        return Run
    some = Field(min_length=1)
    method, metrics = _methods(), _metrics()
    sources: dict[str, Any] = {
        "sources": (Annotated[GenericAlias(tuple, (_kinds(SOURCES), ...)), some], ...)
    }
    samples = create_model("SamplesOptions", __base__=SamplesOptions, **sources)
    methods = GenericAlias(tuple, (method, ...))
    projections = GenericAlias(dict, (MapName, _kinds(PROJECTIONS) | None))
    fields: dict[str, Any] = {
        "samples": (samples, ...),
        "encoders": (Annotated[GenericAlias(tuple, (_kinds(ENCODERS), ...)), some], ...),
        "methods": (Literal["all"] | Annotated[methods, some], "all"),
        "metrics": (metrics, metrics()),
        "projections": (
            Annotated[projections, BeforeValidator(_over_default_maps)],
            Field(default_factory=lambda: {**DEFAULT_MAPS}, validate_default=True),
        ),
        "maps": (Literal["all"] | methods, "all"),
        "targets": (GenericAlias(tuple, (_targets(), ...)), ()),
    }
    return create_model("Run", __base__=Run, **fields)
