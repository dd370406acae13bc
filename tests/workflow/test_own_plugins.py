"""A method of one's own, beside the configuration, runs, and runs again when it is edited."""

import textwrap

import pytest

pytestmark = pytest.mark.workflow

FILES = {
    "__init__": "",
    "methods": '''
        """Methods of one's own."""

        from latentmap.pool.method import PoolingMethod

        from own_package.helpers import corner


        class FirstCorner(PoolingMethod):
            """The value in the first corner of each channel."""

            reference = "nobody"

            def tokens(self, shape):
                return 1

            def dims(self, shape):
                return shape[0]

            def pool(self, latents, regions):
                return corner(latents)
    ''',
    "helpers": """
        def corner(latents):
            return latents[:, :, 0, 0]
    """,
}


def test_an_edit_of_what_a_method_of_ones_own_imports_runs_it_again(unfinished):
    (unfinished.folder / "own_package").mkdir()
    for name, text in FILES.items():
        file = unfinished.folder / "own_package" / f"{name}.py"
        file.write_text(textwrap.dedent(text).lstrip())
    unfinished.configure(
        {
            "plugins": ["own_package.methods"],
            "methods": ["mean", "first_corner"],
            "encoders": [{"kind": "dct", "size": 64}],
            "variants": ["plain"],
        }
    )
    unfinished.snakemake("embeddings")
    made = unfinished.outputs()
    assert "embeddings/dct/plain/first_corner.parquet" in made
    unfinished.edit("own_package/helpers.py", "0, 0", "0, 1")
    unfinished.snakemake("embeddings")
    after = unfinished.outputs()
    again = {name for name in made if name.startswith("embeddings/") and after[name] != made[name]}
    assert again == {"embeddings/dct/plain/first_corner.parquet"}
