"""What changes about channels and neighbors runs again."""

import pytest

pytestmark = pytest.mark.workflow

SUMMARY = "report/summary_report.html"


def deep_dive(names: set[str]) -> set[str]:
    return {name for name in names if "/deep_dive/" in name}


def test_encoders_of_vectors_have_the_page_about_neighbors_only(finished):
    pages = deep_dive(set(finished.outputs()))
    assert {name for name in pages if "/metadata/" in name} == {
        f"report/metadata/{variant}/deep_dive/nearest_neighbors.html"
        for variant in ("plain", "boxes")
    }
    assert len({name for name in pages if "/dct/" in name}) == 2 * 8


def test_a_chart_about_channels_runs_the_pages_about_channels(project):
    path = "src/latentmap/report/deep_dive/channel_importance.py"
    project.edit(path, "    title = ", "    edited = True\n    title = ")
    pages = deep_dive(set(project.outputs()))
    channels = {name for name in pages if not name.endswith("/nearest_neighbors.html")}
    assert project.pending() == channels | {SUMMARY}


def test_the_options_of_the_inspection_run_it_and_its_pages(project):
    project.configure({"inspection": {"k": 5}})
    names = set(project.outputs())
    found = {name for name in names if name.startswith("inspection/")}
    channels = deep_dive(names) - {n for n in names if n.endswith("/nearest_neighbors.html")}
    assert len(found) == 2 * 3
    assert project.pending() == found | channels | {SUMMARY}
