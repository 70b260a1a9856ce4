# Two commands matter: `make demo` shows it, `make test` proves it.
GO       ?= go
FUZZTIME ?= 20s
RAPID_CHECKS ?= 30
SHELL    := /bin/bash
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help build demo test bench bench-quality lint fuzz deps clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s  %s\n", $$1, $$2 }' Makefile

build: ## the static binary bin/hikeshi
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/hikeshi .

demo: ## a shop burns, you put the fire out (ARGS=--auto: it plays you too)
	$(GO) run . demo $(ARGS)

test: deps ## what CI runs; installs what it needs, lists what it had to skip
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; }
	$(GO) vet -race ./...
	@skips=$$(mktemp) && trap 'rm -f "$$skips"' EXIT; \
	echo "$(GO) test -race ./..."; HIKESHI_SKIPS="$$skips" RAPID_CHECKS=$(RAPID_CHECKS) GORACE=atexit_sleep_ms=50 \
	  $(GO) test -race -vet=off -ldflags=-s -p 3 -timeout 15m ./internal/crash ./...; code=$$?; \
	if [ -s "$$skips" ]; then echo "SKIPPED:"; sort -u "$$skips" | sed 's/^/  /'; else echo "no test was skipped for want of a program"; fi; \
	exit $$code

bench: ## beside Alertmanager: prints a table, writes bench.jsonl (ARGS=-quick: a few minutes)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/hikeshi .
	$(GO) run ./internal/bench $(ARGS)

bench-quality: ## how good it is on recorded data: DATA=/path/to/sets; writes quality.jsonl (ARGS='-only learning')
	@$(GO) run ./internal/quality -data '$(DATA)' $(ARGS)

lint: ## gofmt, vet, staticcheck
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

fuzz: ## every fuzz target for FUZZTIME (20s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
	  for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$$file"); do \
	    echo "== $$target in $$(dirname "$$file")"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "$$(dirname "$$file")" || exit 1; \
	  done; \
	done

deps: ## install, or name, the programs that tests need
	@./tools/deps.sh

clean: ## remove what was built and measured
	rm -rf bin bench.jsonl quality.jsonl
