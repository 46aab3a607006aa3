# Two commands: `make demo` and `make test`. Every target makes the virtual environment that it needs.
PYTHON ?= python3
SHELL := bash
ifeq ($(OS),Windows_NT)
BIN := Scripts
else
BIN := bin
endif
VENV := .venv/$(BIN)
SOURCES := LandmarkTracker Benchmarks Docs .ci
EXTRAS := base train slicer web video benchmark docs
# constraints.txt names the version of every package, so that a release of one cannot break an installation.
INSTALL := -m pip --disable-pip-version-check install --quiet
CONSTRAINED := PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt

.PHONY: install demo test lint format types docs extras $(EXTRAS:%=extra-%) constraints pictures release clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(CONSTRAINED) $(VENV)/python $(INSTALL) --editable ".[test]"
	touch $@

demo: install
	$(VENV)/landmark-tracker demo --output results/demo --overwrite

# One process a core, four at most, each with one thread. The tests of a file stay together.
test: export OMP_NUM_THREADS = 1
test: lint types
	$(VENV)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --cov

lint: install
	$(VENV)/ruff check $(SOURCES)
	$(VENV)/ruff format --check $(SOURCES)

format: install
	$(VENV)/ruff check --fix $(SOURCES)
	$(VENV)/ruff format $(SOURCES)

types: install
	$(VENV)/mypy

# The site in build/site. A broken link, a page that no menu shows and a wrong name of a function are errors.
docs: export NO_MKDOCS_2_WARNING = 1
docs: install
	$(VENV)/mkdocs build --strict

# A command of every extra, each in an environment with nothing else. It takes minutes and gigabytes.
extras: $(EXTRAS:%=extra-%)

$(EXTRAS:%=extra-%): extra-%:
	rm -rf build/$@
	$(PYTHON) -m venv build/$@
	$(CONSTRAINED) build/$@/$(BIN)/python $(INSTALL) ".$(if $(filter-out base,$*),[$*])"
	cd build && $@/$(BIN)/python ../LandmarkTracker/Testing/extras.py $* $@/files
	rm -rf build/$@

# The newest versions that pyproject.toml allows; nothing is installed. `make test extras` tries them.
constraints:
	$(PYTHON) -m venv build/constraints
	build/constraints/$(BIN)/python $(INSTALL) --dry-run --ignore-installed \
		--report build/constraints/report.json hatchling editables ".[test]"
	$(PYTHON) .ci/constraints.py build/constraints/report.json > constraints.txt
	rm -rf build/constraints

# Pictures of the documentation that were drawn anew, with few colours.
pictures: install
	$(VENV)/python .ci/palette.py $$(git diff --name-only --diff-filter=d HEAD -- Docs/pictures; \
		git ls-files --others --exclude-standard -- Docs/pictures)

# One commit with the files of this one, on top of the releases in the repository ON, if it is given. Slicer's
# index of extensions takes 100 MiB at most, .git included.
release: VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' LandmarkTracker/LandmarkTrackerLib/__init__.py)
release:
	rm -rf build/release
	git init --quiet --initial-branch main build/release
	git -C build/release fetch --quiet --depth 1 "file://$(CURDIR)" HEAD:refs/new
	$(if $(ON),git -C build/release fetch --quiet $(ON) main:refs/last)
	cd build/release && git reset --quiet --hard \
		$$(git commit-tree refs/new^{tree} $(if $(ON),-p refs/last) -m "LandmarkTracker $(VERSION)")
	cd build/release && git update-ref -d refs/new && rm -f .git/shallow .git/FETCH_HEAD .git/ORIG_HEAD \
		&& git reflog expire --expire=now --all && git gc --quiet --prune=now
	size=$$(du -sm build/release | cut -f1); echo "build/release: $$size MiB of 100"; [ $$size -le 100 ]

clean:
	rm -rf .venv results build dist
