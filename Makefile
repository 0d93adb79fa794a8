# The two commands to know: `make run` and `make test`. Both install what is missing first.

SWIFT ?= swift
# Arguments for `make run`, as in: make run ARGS='--listen 127.0.0.1:9000'
ARGS ?=
FORMATTED := $(wildcard Sources Tests Benchmarks Fuzz Snippets sql) Package.swift
# The flags of every release build. Other flags would compile everything once more. Paths of this machine do not get into the program. The
# tests run with checks of exclusive access, the program without: decision 0026. Nothing loads the program's symbols by name, and their
# table would be 6 MB of it.
RELEASE := -c release --static-swift-stdlib -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -file-prefix-map -Xswiftc '$(CURDIR)=/mortise' \
	-Xcc '-ffile-prefix-map=$(CURDIR)=/mortise' -Xlinker --no-export-dynamic
# The release binary.
PROGRAM = "$$($(SWIFT) build $(RELEASE) --show-bin-path)/mortise"
# The modules with documentation for programmers.
DOCUMENTED := Postgres MortiseClient Keys

# $(call announce,BINARY): says before a first build that it takes long.
announce = @test -e .build/$(1) || echo "The first build compiles Mortise and all packages that it uses. \
	With two processors this takes 10 to 20 minutes; later builds take one or two." >&2

.DEFAULT_GOAL := help
.PHONY: help run test build program dist lint bench bench-console bench-gateways bench-peers bench-revocations bench-strangers fuzz docs completions man clean dependencies test-dependencies

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

run: build ## build Mortise and run it with a PostgreSQL of its own, data in .mortise/
	exec $(PROGRAM) serve $(ARGS)

# Every scripts/test-*.sh is a test: it ends with an error if what it checks does not hold. Tests that run the program run the release
# build: users have that one, and the debug build takes 0.4 seconds to read a command line.
test: dependencies test-dependencies ## run all tests on a real PostgreSQL
	$(call announce,debug/mortise)
	@$(SWIFT) build $(RELEASE) --product mortise
	@set -e; export SWIFT='$(SWIFT)' MORTISE_PROGRAM=$(PROGRAM); \
	scripts/swift-test.sh --skip "$$(scripts/test-crashes.sh --suites)"; \
	scripts/run-test-scripts.sh

build: dependencies ## build the release binary
	$(call announce,release/mortise)
	$(SWIFT) build $(RELEASE) --product mortise

# Without the dependencies, for scripts that install their own.
program: ## build the release binary and print its path
	@$(SWIFT) build $(RELEASE) --product mortise >&2
	@echo $(PROGRAM)

dist: build ## pack the release binary as a tar archive and a Debian package into .build/dist, with an SBOM and checksums
	@scripts/make-man.py $(PROGRAM) .build/man
	@SWIFT='$(SWIFT)' scripts/make-dist.sh $(PROGRAM) .build/man .build/dist

lint: ## check the formatting of the Swift sources
	$(SWIFT) format lint --strict -r -p $(FORMATTED)
	@if grep -rn '\.timeLimit(' Tests; then echo 'Tests have .hangLimit instead: see CONTRIBUTING.md.' >&2; exit 1; fi

bench: dependencies ## build and run the benchmarks
	@scripts/install-benchmark-dependencies.sh
	@for product in mortise answer-bench mortise-bench; do \
		MORTISE_BENCHMARKS=1 $(SWIFT) build $(RELEASE) --product $$product || exit; \
	done
	@$$($(SWIFT) build $(RELEASE) --show-bin-path)/mortise-bench $(ARGS)

bench-gateways: dependencies test-dependencies ## measure the checks of gateways against nginx that answers 200
	@scripts/install-benchmark-dependencies.sh
	@MORTISE_PROGRAM=$$($(MAKE) --silent program) scripts/bench-gateways.sh $(ARGS)

bench-console: dependencies test-dependencies ## measure the pages of the console with many keys and workspaces
	@MORTISE_PROGRAM=$$($(MAKE) --silent program) scripts/bench-console.sh $(ARGS)

bench-revocations: dependencies test-dependencies ## measure how soon a change of keys counts on three nodes
	@MORTISE_PROGRAM=$$($(MAKE) --silent program) scripts/bench-revocations.sh $(ARGS)

bench-strangers: dependencies test-dependencies ## measure a tenant beside another one that does harm
	@MORTISE_PROGRAM=$$($(MAKE) --silent program) scripts/bench-strangers.sh $(ARGS)

bench-peers: dependencies ## measure verifications against other programs that check keys
	@scripts/install-benchmark-dependencies.sh
	@MORTISE_PROGRAM=$$($(MAKE) --silent program) scripts/bench-peers.sh $(ARGS)

fuzz: dependencies ## look for inputs that break a parser, 60 seconds for each
	@SWIFT='$(SWIFT)' scripts/fuzz.sh $(ARGS)

docs: dependencies ## build the documentation of the modules into .build/docs
	@set -e; for target in $(DOCUMENTED); do \
		echo "== $$target"; \
		MORTISE_DOCS=1 $(SWIFT) package --allow-writing-to-directory .build/docs generate-documentation \
			--target $$target --warnings-as-errors --output-path .build/docs/$$target; \
	done

completions: build ## write completion scripts for bash, zsh and fish into .build/completions
	@scripts/make-completions.sh $(PROGRAM) .build/completions

man: build ## write manual pages into .build/man
	@scripts/make-man.py $(PROGRAM) .build/man

clean: ## remove what was built; data in .mortise/ stay
	rm -rf .build .venv

dependencies: ## install what building and running need
	@scripts/install-dependencies.sh

test-dependencies: ## install what only the tests need
	@scripts/install-test-dependencies.sh
