"""What a page is: what it is about, what it reads, and what it shows; and how it is written."""

from __future__ import annotations

import html
import inspect
import os
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from latentmap.config import Options, Plugin, Registry
from latentmap.errors import LatentmapError
from latentmap.project.quality import DOUBTFUL
from latentmap.report.embedded import embedded_json, packed
from latentmap.report.measures import SCALE
from latentmap.report.picture_host import picture_host
from latentmap.report.plates import first_coloring, has_groups
from latentmap.report.points import ShownSamples
from latentmap.report.trust import trust_legend
from latentmap.store.files import digest, write_stamped_text
from latentmap.store.results import (
    DETAILS,
    EXPLORER_FILE,
    PAGE_SCRIPT,
    PAGE_STYLE,
    PICTURE_NAMES,
    SHOWN_SAMPLES,
    SUMMARY,
    VEGA,
    Artifact,
    Key,
    Results,
)

CATEGORIES = ("Summary", "Comparisons", "Costs", "Deep dive", "Maps")
"""Kinds of pages, in the order in which they are listed; others follow."""


TITLED = re.compile(r'(<td[^>]*?) title="([^"]*)"')
"""A cell of a table that says more on hover."""

CHARTS_ONLY = Path(__file__).with_name("page.html")
"""What every page looks like; by itself it shows the charts in `plates`."""


class Scope(Enum):
    """What one job writes the pages about: the wildcards that its pages have in common."""

    RUN = ()
    LATENTS = ("encoder", "variant")
    METHOD = ("encoder", "variant", "method")


@dataclass(frozen=True)
class Content:
    """What one page shows.

    Attributes:
        title: its heading.
        values: all that its template names.
        samples: what maps on the page show.
        colors: colour of every label group, for pages with maps.
        measures: numbers that can colour and size their points: key and title.
    """

    title: str
    values: Mapping[str, Any]
    samples: ShownSamples | None = None
    colors: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)


class Page(Plugin[Options]):
    """One kind of page.

    A page that is more than its charts has a template of the same name beside its file.

    Attributes:
        title: what it is called where pages are listed.
        category: the kind of pages that it is listed with.
        file: where each of them lies.
        scope: what one job writes the pages about.
        reads: the files that it may open: those of them that belong to a job are its inputs.
        configured_by: dotted keys of the configuration that it may ask for.
        shows: plug-ins whose code decides what it shows.
        also_writes: tables that the job of the pages writes, too.
    """

    title: ClassVar[str]
    category: ClassVar[str]
    file: ClassVar[Artifact[str]]
    scope: ClassVar[Scope]
    reads: ClassVar[tuple[Artifact[Any], ...]]
    configured_by: ClassVar[tuple[str, ...]] = ()
    shows: ClassVar[tuple[Registry[Any], ...]] = ()
    also_writes: ClassVar[tuple[Artifact[Any], ...]] = ()

    @classmethod
    def flaws(cls) -> Iterator[str]:
        """Yield what of its scope its files do not tell apart."""
        for name in set(cls.scope.value) - set(cls.file.wildcards):
            yield f"is of {cls.scope}, but its file, {cls.file.pattern}, has no {{{name}}} in it"

    @abstractmethod
    def build(self, results: Results, keys: Sequence[Key]) -> Iterator[Content]:
        """Yield what the pages of one job show.

        Args:
            results: the run, limited to what the page reads.
            keys: of the pages, in the order in which they are yielded.
        """

    def title_of(self, key: Key) -> str:
        """Return what one of the pages is called where pages are listed."""
        return self.title

    def charts(self, results: Results, key: Key) -> Mapping[str, str]:
        """Return the charts of one page to publish: how each is called, and its id in the page."""
        return {}

    def tracked(self, results: Results) -> Any:
        """Return what the pages depend on beside files and code, as plain values."""
        return {name: results.option(name) for name in self.configured_by}

    def modules(self, **where: str) -> list[str]:
        """Return the plug-ins whose code the pages of one job depend on."""
        return [registry.module(name) for registry in self.shows for name in registry]

    def write(self, results: Results, **where: str) -> None:
        """Write the pages of one job.

        Args:
            results: the run.
            where: what the pages are about, by the names in `scope`.

        Raises:
            LatentmapError: a file that they show is missing or damaged, or does not belong here.
        """
        keys = results.keys(self.file, **where)
        limited = results.limited_to(self.reads, self.configured_by)
        for key, content in zip(keys, self.build(limited, keys), strict=True):
            write_page(results.address(self.file, *key), self._template, content, results)

    @property
    def _template(self) -> Path:
        own = Path(inspect.getfile(type(self))).with_name(f"{self.kind}.html")
        return own if own.exists() else CHARTS_ONLY


PAGES: Registry[Page] = Registry("latentmap.report.pages", Page, "page")


def listed_pages() -> list[Page]:
    """Return all kinds of pages in the order in which they are listed."""
    pages = [PAGES.create(name) for name in PAGES]
    order = {category: place for place, category in enumerate(CATEGORIES)}
    return sorted(pages, key=lambda page: order.get(page.category, len(order)))


def pages_of(results: Results) -> list[Page]:
    """Return the kinds of pages that a run has, in the order in which they are listed.

    Raises:
        LatentmapError: two of them would be the same file.
    """
    places: dict[Path, str] = {}
    for page in listed_pages():
        for key in results.keys(page.file):
            place = results.address(page.file, *key)
            other = places.setdefault(place, page.kind)
            if other != page.kind:
                raise LatentmapError(
                    f"The pages '{other}' and '{page.kind}' would both be {place}. "
                    "Give one of them another `file`."
                )
    return [page for page in listed_pages() if page.kind in places.values()]


def published(results: Results) -> dict[str, tuple[Path, str]]:
    """Return the charts of a run to publish: for each the page, and its id there.

    Raises:
        LatentmapError: two of them would be the same file.
    """
    found: dict[str, tuple[Path, str]] = {}
    for page in listed_pages():
        for key in results.keys(page.file):
            for name, chart in page.charts(results, key).items():
                place = results.address(page.file, *key)
                figure = "/".join([*key[:2], "figures", name])
                other, _ = found.setdefault(figure, (place, chart))
                if other != place:
                    raise LatentmapError(
                        f"{other} and {place} both publish a chart '{name}'. Rename one."
                    )
    return found


def write_page(output: Path, template: Path, content: Content, results: Results) -> None:
    """Fill a template and write the page.

    Args:
        output: the HTML file.
        template: `page.html`, or a file that extends it.
        content: what it shows.
        results: the run, whose summary and scripts the page refers to.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["link"] = lambda path: relative(path, output)
    environment.globals["explorer"] = next(iter(results.paths(EXPLORER_FILE)), None)
    samples, colors = content.samples, content.colors
    own = None if samples is None else samples.beyond(results.config["report"]["max_points"])
    shares = own is not None and "id" not in own
    scripts = (VEGA, SHOWN_SAMPLES, PAGE_SCRIPT) if shares else (VEGA, PAGE_SCRIPT)
    later = {"details": DETAILS, "pictures": PICTURE_NAMES} if shares else {}
    fill = partial(
        environment.get_template(template.name).render,
        title=content.title,
        home=relative(results.address(SUMMARY), output),
        style=results.address(PAGE_STYLE),
        scripts=[results.address(script) for script in scripts],
        later={name: results.address(script) for name, script in later.items()},
        picture_host=picture_host(results.config["report"].get("image_url")),
        samples=None if own is None else embedded_json(own),
        legend=[] if samples is None else _legend(samples, colors),
        colorings=[] if samples is None else samples.colorings,
        coloring=None if samples is None else first_coloring(samples, colors)[0],
        measures=content.measures,
        measure_colors=SCALE,
        trust_legend=trust_legend(),
        doubtful=DOUBTFUL,
        **content.values,
    )
    # A browser runs the scripts that know the nonce, which nothing in the page's data can know.
    text = _with_packed_titles(fill(nonce=digest(fill(nonce=""))))
    write_stamped_text(output, f"{text}\n<!-- ", " -->\n")


def _with_packed_titles(text: str) -> str:
    """Return a page that carries what cells say on hover packed: tables have thousands of them."""
    told = [html.unescape(title) for _, title in TITLED.findall(text)]
    script = f'<script type="application/octet-stream" id="titles">{packed(told)}</script>'
    return TITLED.sub(r"\1 data-titled", text).replace("</main>", f"</main>\n{script}", 1)


def relative(path: Path | str, page: Path | str) -> str:
    """Return the address of a file as seen from a page."""
    return Path(os.path.relpath(path, Path(page).parent)).as_posix()


def _legend(samples: ShownSamples, colors: Mapping[str, str]) -> Sequence[tuple[str, str, int]]:
    if not has_groups(colors):
        return []
    counts = dict.fromkeys(colors, 0)
    for group in samples.content["group"]:
        counts[group] += 1
    return [(group, colors[group], count) for group, count in counts.items() if count]
