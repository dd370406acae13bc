# make run      install what is missing, run the default pipeline, say where its report is
# make test     install what is missing, run the whole suite
# make lint     format, style, types, workflow
# make bench    time the whole workflow on a cache of 1,406 latents (docs/performance.md); with
#               PEER=folder, beside the script of the first analysis there
# make docs     refresh what the docs show of the workflow (needs Graphviz); build the reference
# make picture  take the picture in the README from the finished default run (needs Chromium)
# make times    time the default run in a fresh clone, for README.md and docs/performance.md
# make lock     refresh the lock from pyproject.toml, and the conda environments from the lock

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: run test lint bench docs picture times lock

run: $(INSTALLED)
	$(BIN)/snakemake --cores all
	@echo "Report: $(CURDIR)/results/demo/report/summary_report.html"

test: $(INSTALLED)
	$(BIN)/pytest --numprocesses 2 --dist loadfile -m "not slow"
	$(BIN)/pytest -m slow

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

bench: $(INSTALLED)
	$(BIN)/python benchmarks/analysis.py $(if $(PEER),--peer $(PEER))

docs: $(INSTALLED)
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build --quiet
	$(BIN)/snakemake --quiet all --rulegraph | tred | dot -Tsvg -o docs/images/rules.svg

picture: run
	$(BIN)/python docs/picture.py

times: $(INSTALLED)
	$(BIN)/python benchmarks/demo.py

$(INSTALLED): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

# The lock names torch without the tag of the build that happened to be installed here. What torch
# itself pins for GPUs is not in it: resolve on a machine whose torch is the CPU build.
lock: $(INSTALLED)
	$(BIN)/pip-compile --quiet --upgrade --extra dev --extra slurm --extra text --extra anndata --extra docs --strip-extras \
		--no-header --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[^+ ]*\)+[^ ]*/\1/' requirements.lock
	$(BIN)/python envs/generate.py
