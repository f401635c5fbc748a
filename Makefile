# Every target works on a fresh clone: each sets up what it needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
DATA ?= ../shared/data
FEEDS ?= 1000
COUNTS ?= 1000 10000
ARCHIVE ?= archive-of-100000.db

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench bench-crash bench-web bench-quality messages run clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP)  ## create .venv with everything pinned in constraints.txt

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "newsletter needs Python 3.11 or later; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,fast,postgres,semantic]'
	@touch $@

demo: $(STAMP)  ## run the main job on sample feeds, in ./newsletter-demo
	@$(BIN)/newsletter demo

test: $(STAMP)  ## run the tests, twice as many at once as there are cores: half the time they wait
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n $$(($$(getconf _NPROCESSORS_ONLN) * 2)) --dist loadfile --no-loadscope-reorder

check: $(STAMP)  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## what reading, collecting, composing and sending cost (DATA=folder, FEEDS=1000)
	$(BIN)/python benchmarks/parse.py $(DATA)/feeds/real_2026
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/collect.py $(FEEDS) --unchanged 5000
	OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/compose.py $(DATA)/arxiv/pool_dev.jsonl $(COUNTS)
	$(BIN)/python benchmarks/assemble.py
	$(BIN)/python benchmarks/sign.py
	@command -v npm >/dev/null && npm ci --prefix benchmarks/smtp --ignore-scripts --silent || true
	$(BIN)/python benchmarks/send.py
	$(BIN)/python benchmarks/million.py --send 50000

bench-crash: $(STAMP)  ## kill, stop and cut off what delivers, 50 times and more, and count who got what (SEED=1)
	$(BIN)/python -m benchmarks.crash $(if $(SEED),--seed $(SEED))

bench-web: $(STAMP)  ## what the pages bear at 100,000 stories, and what Lighthouse says of them (DATA=folder, ARCHIVE=file)
	@test -e $(ARCHIVE) || OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/search.py $(DATA) --archive $(ARCHIVE)
	$(BIN)/python benchmarks/web.py $(ARCHIVE)
	@command -v npm >/dev/null && npm ci --prefix benchmarks/lighthouse --silent || true
	$(BIN)/python -m benchmarks.lighthouse $(ARCHIVE)

bench-quality: $(STAMP)  ## how well stories are grouped, ranked and found, beside the baselines (DATA=folder, MODEL=folder)
	$(BIN)/python -m benchmarks.quality $(DATA)

messages: $(STAMP)  ## take new words of templates and code into the catalogues, for translators
	@$(BIN)/python tools/messages.py

run: $(STAMP)  ## run the daemon on the workspace in this folder
	$(BIN)/newsletter daemon

clean:  ## remove what the targets made
	rm -rf $(VENV) newsletter-demo dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
