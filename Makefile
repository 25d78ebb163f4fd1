# Two commands: `make book` builds the book, `make test` proves it.
# Both make their own environment in .venv first. The plain commands stand in README.md.

# The first Python that is new enough; name another with `make book PYTHON=/path/to/python`.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUN := .venv/bin/python
READY := .venv/ready
# This checkout's package, also where .venv was copied along from another one.
export PYTHONPATH := $(CURDIR)/src

.PHONY: book serve archive pdf live-report test fuzz notebooks accuracy speed benchmark clean

book: $(READY)
	@$(RUN) book/build.py

serve: book
	@$(RUN) book/serve.py

archive: book
	@$(RUN) book/archive.py

pdf: book
	@$(RUN) book/pdf.py

live-report: book
	@$(RUN) book/live/report.py

test: $(READY)
	@$(RUN) -m pytest

# Broken files for the readers of files: some minutes. Other inputs: make fuzz SEED=2
fuzz: $(READY)
	@$(RUN) tests/fuzz.py --count $(or $(COUNT),200000) --seed $(or $(SEED),1)

notebooks: $(READY)
	@$(RUN) notebooks/execute.py
	@$(RUN) book/extensions/colab.py

accuracy: $(READY)
	@$(RUN) -m llmsizing.evidence

# Fits the constants of the speed model on the published runs, and checks them on runs left out.
speed: $(READY)
	@$(RUN) -m llmsizing.speed

benchmark: $(READY)
	@$(RUN) tests/benchmark.py

$(READY): requirements.txt pyproject.toml $(RUN)
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "llmsizing needs Python 3.11 or newer, and found none here." \
		"Install it, or name one: make book PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing the packages into .venv with $$($(PYTHON) --version): about a minute."
	@$(RUN) -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv || { \
		echo "Python could not make an environment." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(RUN) -m pip install --disable-pip-version-check --no-input -r requirements.txt \
		&& $(RUN) -m pip install --disable-pip-version-check --no-input --no-deps \
		--no-build-isolation --editable . || { \
		echo "The packages of requirements.txt could not be installed: the first ERROR above" \
		"says which. Is there a network? Then run the same command again." >&2; exit 1; }
	@touch $(READY)

# No recipe: where there is no such file, or it leads nowhere, $(READY) is made anew.
$(RUN):

clean:
	rm -rf .venv _build
