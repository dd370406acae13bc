import html
import re
from pathlib import Path

import polars as pl
import yaml
from threadpoolctl import threadpool_info

from latentmap.report.labels import collect_labels
from latentmap.report.pages.summary import ONE_ROW
from latentmap.report.provenance import commit_of
from latentmap.store.files import read_json, read_plain_json

ROOT = Path(__file__).parents[2]


def shown(page):
    """The text of a page as a reader sees it."""
    text = re.sub(r"<(script|style).*?</\1>", "", page.read_text(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))


def test_latents_out_of_range_raise_the_banner_and_others_do_not(report):
    text = report.summary.read_text()
    alarms = re.findall(r'class="alarm".*?</p>', text, flags=re.S)
    assert len(alarms) == 1 and "tiny-vae (boxes)" in alarms[0]


def test_rows_set_aside_are_counted_by_reason(report):
    text = shown(report.summary)
    assert "Warning: Rows and files of the input: 2 quarantined, 1 repaired." in text
    assert "Rows and files of the input: 7 passed over." in text
    assert "Warning: Rows and files of the input: 7 passed over" not in text
    assert "fake passed over .md files none 7" in text
    # What a user chose to leave out is told, and no warning.
    assert "70 samples (num_samples leaves out 1,246)" in text
    assert "fake not used samples: 70 of 1,316 are used (num_samples) 1,246" in text
    assert "1,246 not used" not in text
    assert "fake quarantined image is truncated 2" in text
    assert "fake repaired box is inverted swapped 1" in text


def test_what_there_is_is_counted_and_a_group_without_samples_is_not(report, tmp_path):
    run = report.copy(tmp_path)
    collect_labels(run.samples, {**run.label_groups, "Unused": None}, run.labels_file)
    text = run.write("summary")
    assert "11 labels, 4 label groups, 2 encoders, 2 variants, 9 pooling methods." in text


def test_what_a_reason_says_of_one_row_does_not_tell_reasons_apart():
    reasons = [
        "line 12: not JSON (Expecting value at column 7)",
        "same text as an earlier row (id a (b)\nc)",
        "line 3: not UTF-8 (byte 13)",
        "image is missing (file a (1).png)",
        "box 0 (1, 2, 1, 4) has zero area",
        "target yes: the answer is neither yes nor no (it is 'n/a (no idea)')",
    ]
    assert pl.Series(reasons).str.replace_all(ONE_ROW, "").to_list() == [
        "not JSON (Expecting value)",
        "same text as an earlier row",
        "not UTF-8",
        "image is missing",
        reasons[4],
        "target yes: the answer is neither yes nor no",
    ]


def test_methods_that_are_left_out_are_named(report):
    assert (
        "Left out: patch16 of dct, which needs 16 positions a side, and the latents have 8 × 8."
        in shown(report.summary)
    )


def test_provenance_is_complete(report):
    source = report.summary.read_text()
    config = html.unescape(re.search(r"<pre>(.*?)</pre>", source, flags=re.S)[1])
    assert yaml.safe_load(config)["variants"] == ["plain", "boxes"]
    assert list(yaml.safe_load(config)) == list(report.facts.config)
    text = shown(report.summary)
    assert "0123456789abcdef" in text
    (blas,) = (pool for pool in threadpool_info() if "numpy.libs" in pool["filepath"])
    assert f"kernel {blas['architecture']}, {blas['num_threads']} thread" in text
    ranked = "Methods are ranked by kNN label purity across sources"
    assert ranked in text
    assert "Samples are compared by Euclidean distance" in text
    assert f"git commit {commit_of(ROOT)}" in text
    assert "tiny-vae 0a1b2c3d checkpoint: /ckpt/<3>.pt" in text and "dct no weights" in text
    assert re.search(r"altair \d+\.\d+", text) and re.search(r"Python 3\.\d+", text)


def test_the_first_screen_answers(report):
    source = report.summary.read_text()
    assert source.index('class="verdict"') < source.index('id="table"') < source.index('id="maps"')
    text = shown(report.summary)
    # One encoder has planted the same for both variants.
    assert "Best of 27 embeddings: dct / mean (boxes) , a learning-free baseline" in text
    assert "Chance level 0.090 (0.070 to 0.110)" in text
    assert "tiny-vae (boxes, plain) mean 0.300" in text


def test_the_table_has_every_embedding_best_first(report):
    table = re.search(
        r'<table class="sortable pinned numbers">.*?</table>',
        report.summary.read_text(),
        flags=re.S,
    )[0]
    rows = re.findall(r'<th scope="row">(?:<a [^>]*>)?(.*?)<', table)
    assert len(rows) == len(report.metrics)
    assert rows[0] == "dct / mean (boxes)"


def test_there_is_a_map_of_the_best_mapped_method_of_every_encoder_variant_and_projection(report):
    titles = re.findall(r'<h3 class="title"><a href="[^"]*">(.*?)</a>', report.summary.read_text())
    assert len(titles) == 2 * 2 * 2
    assert all(" / mean (" in title for title in titles)


def test_every_method_s_metrics_stand_beside_its_pages(report):
    folder = report.page("dct", "plain", "per_method", "patch4")
    metrics = read_plain_json(folder / "metrics.json")
    source = read_json(report.metrics["dct", "plain", "patch4"])
    assert [metrics[name] for name in ("encoder", "variant", "method")] == [
        "dct",
        "plain",
        "patch4",
    ]
    assert not any(isinstance(value, dict | list) for value in metrics.values())
    for name, found in source["metrics"].items():
        assert metrics[name] == found["value"]
        assert metrics.get(f"{name}_chance") == found["chance"]
    assert sorted(path.name for path in folder.glob("*.html")) == [
        "tsne3d.html",
        "umap.html",
    ]


def test_a_metric_that_is_defined_nowhere_has_no_column_and_its_reason_is_said_once(report):
    page = report.summary.read_text()
    (said,) = re.findall(r"Not defined: ([^<]*)</p>", page)
    assert said == "Calinski–Harabasz index. fewer samples than labels"
    assert page.count("Calinski–Harabasz") == 1
