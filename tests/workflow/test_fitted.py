"""An encoder that is fitted to all samples starts anew when samples are added; others do not."""

import pytest

pytestmark = pytest.mark.workflow


def latents(project, images: int) -> dict[str, int]:
    """Encode the questions about so many images; return when each file was written."""
    project.configure(
        {
            "samples": {"sources": [{"kind": "scenes", "images": images}], "shard_size": 16},
            "encoders": [{"kind": "tfidf", "min_df": 1}, {"kind": "metadata"}],
            "variants": ["plain"],
        }
    )
    project.snakemake("latents", "--cores", "2")
    return {name: time for name, time in project.outputs().items() if name.startswith("latents/")}


def test_samples_that_are_added_fit_and_encode_again_only_what_is_fitted(unfinished):
    before, after = latents(unfinished, images=4), latents(unfinished, images=5)
    assert "latents/tfidf/fit.parquet" in before
    assert len(after) == len(before) + 2
    again = {name for name, time in before.items() if after[name] != time}
    assert again == {name for name in before if name.startswith("latents/tfidf/")}
