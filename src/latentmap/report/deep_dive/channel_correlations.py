"""Correlation, covariance and spectrum of the channels."""

from __future__ import annotations

import numpy as np

from latentmap.inspect.inspection import Floats, Inspection
from latentmap.report.channel_chart import ChannelChart, DeepDive
from latentmap.report.lazy import alt
from latentmap.report.matrix import diverging
from latentmap.report.palette import CHANCE, GROUPED

SIDE = 400
MOST = 0.9
KINDS = {"of channel means": GROUPED, "over all positions": CHANCE}


class ChannelCorrelations(ChannelChart):
    """Matrices of the channels' means over samples and of their values over positions."""

    needs_labels = False
    title = "Correlation between channels"
    look_for = (
        "Strong colours off the diagonal are channels that repeat each other. A cumulative curve "
        "that rises at once means that a few directions hold most of the variance; an even "
        "diagonal line would mean that all channels carry the same amount."
    )

    def build(self, data: DeepDive) -> alt.TopLevelMixin | None:
        """Return two matrices of each kind, then the spectrum and its cumulative curve."""
        found = data.inspection
        spectra = _spectra(found)
        if not any(spectrum.size for spectrum in spectra.values()):
            return None
        shown = data.shown()
        panels = []
        for kind, covariance in _covariances(found).items():
            own = covariance[np.ix_(shown, shown)]
            panels += [
                _matrix(_correlation(own), shown, f"correlation {kind}", 1.0),
                _matrix(own, shown, f"covariance {kind}", float(np.abs(own).max())),
            ]
        return alt.concat(
            *panels,
            _lines(spectra, "share of the variance", "log"),
            _lines({k: np.cumsum(s) for k, s in spectra.items()}, "cumulative share", "linear"),
            columns=2,
            spacing=30,
            description=(
                "Correlation and covariance matrices of the channels, their eigenvalues, and the "
                "cumulative share of the variance."
            ),
        ).resolve_scale(color="independent")

    def note(self, data: DeepDive) -> str:
        """Return how many axes hold most of the variance."""
        held = [
            f"{1 + int(np.argmax(np.cumsum(shares) >= MOST))} of {len(shares)} axes {kind}"
            for kind, shares in _spectra(data.inspection).items()
            if shares.size
        ]
        share = f"{100 * MOST:.0f} %"
        return f"{share} of the variance is in {' and in '.join(held)}. {data.note()}".strip()


def _covariances(found: Inspection) -> dict[str, Floats]:
    return dict(zip(KINDS, (found.covariance_of_means, found.covariance), strict=True))


def _spectra(found: Inspection) -> dict[str, Floats]:
    return {kind: _spectrum(values) for kind, values in _covariances(found).items()}


def _correlation(covariance: Floats) -> Floats:
    scale = np.sqrt(np.diagonal(covariance))
    products = np.outer(scale, scale)
    undefined = np.full_like(covariance, np.nan)
    return np.divide(covariance, products, out=undefined, where=products > 0)


def _spectrum(covariance: Floats) -> Floats:
    """Return the share of the variance of each principal axis, largest first; none if all are 0."""
    values = np.clip(np.linalg.eigvalsh(covariance)[::-1], 0, None)
    return values / values.sum() if values.sum() > 0 else values[:0]


def _matrix(values: Floats, shown: list[int], title: str, reach: float) -> alt.Chart:
    rows = [
        {"a": str(shown[i]), "b": str(shown[j]), "value": float(f"{values[i, j]:.4g}")}
        for i, j in np.argwhere(np.isfinite(values)).tolist()
    ]
    names = [str(channel) for channel in shown]
    axis = alt.Axis(domain=False, ticks=False, labelAngle=0, labelOverlap=True)
    scale = alt.Scale(domain=names)
    return (
        alt.Chart(alt.InlineData(values=rows), title=title, width=SIDE, height=SIDE)
        .mark_rect()
        .encode(
            x=alt.X("a:N", scale=scale, axis=axis, title="channel"),
            y=alt.Y("b:N", scale=scale, axis=axis, title="channel"),
            color=diverging("value", reach or 1.0, title.partition(" ")[0]),
            tooltip=[
                alt.Tooltip("a:N", title="channel"),
                alt.Tooltip("b:N", title="and channel"),
                alt.Tooltip("value:Q", format=".3~g"),
            ],
        )
    )


def _lines(spectra: dict[str, Floats], title: str, scale: str) -> alt.LayerChart | alt.FacetChart:
    rows = [
        {"axis": number, "of": kind, "share": float(f"{share:.4g}")}
        for kind, shares in spectra.items()
        for number, share in enumerate(shares, start=1)
        if share > 1e-6
    ]
    base = alt.Chart(
        alt.InlineData(values=rows), title=f"{title} by principal axis", width=SIDE, height=260
    ).encode(
        x=alt.X("axis:Q", title="principal axis", axis=alt.Axis(tickMinStep=1, format="d")),
        y=alt.Y(
            "share:Q",
            title=title,
            scale=alt.Scale(type="log") if scale == "log" else alt.Scale(domain=[0, 1]),
            axis=alt.Axis(grid=scale != "log", format="~g"),
        ),
        color=alt.Color(
            "of:N",
            scale=alt.Scale(domain=list(KINDS), range=list(KINDS.values())),
            legend=alt.Legend(orient="top", title=None, columns=2),
        ),
    )
    points = base.mark_point(filled=True, size=45).encode(
        shape=alt.Shape("of:N", scale=alt.Scale(domain=list(KINDS)), legend=None),
        tooltip=["of:N", "axis:Q", alt.Tooltip("share:Q", format=".3~g")],
    )
    most = alt.Chart(alt.InlineData(values=[{"share": MOST}])).mark_rule(strokeDash=[4, 3])
    line = [] if scale == "log" else [most.encode(y="share:Q")]
    return alt.layer(*line, base.mark_line(), points)
