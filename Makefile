# Everything a newcomer needs: `make run`. `make help` lists the rest.

export PATH := $(HOME)/.cargo/bin:$(PATH)
.DEFAULT_GOAL := help
.SUFFIXES:

# More words for the program: make run ARGS="--listen 0.0.0.0:8000". For tests: make test ARGS=ground
ARGS ?=
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## Build and start the service with demo data, on a private PostgreSQL in ./data unless DATABASE_URL is set
	@scripts/ensure cargo cc $(if $(DATABASE_URL),,postgres)
	cargo build --release --bin shiji
	@exec $(TARGET)/release/shiji serve --demo-if-empty $(ARGS)

.PHONY: test
test: ## Run all tests, on a PostgreSQL of their own unless SHIJI_TEST_DATABASE_URL is set
	@scripts/ensure cargo cc $(if $(SHIJI_TEST_DATABASE_URL),,postgres)
	cargo test $(ARGS)

.PHONY: bench
bench: ## Measure the service beside stock cqrs-es and pgbench
	@scripts/ensure cargo cc postgres
	cargo bench --bench service -- $(ARGS)

.PHONY: check
check: fmt clippy doc queries openapi layering ## Everything that can be checked without running the service

.PHONY: fmt
fmt: ## Check that the code is formatted
	@scripts/ensure cargo
	cargo fmt --check

.PHONY: clippy
clippy: ## Check the lints, without warnings
	@scripts/ensure cargo cc
	cargo clippy --all-targets --quiet -- -D warnings

.PHONY: doc
doc: ## Check that the documentation builds, without warnings
	@scripts/ensure cargo cc
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --quiet

.PHONY: queries
queries: ## Check that .sqlx is fresh (scripts/sqlx-prepare writes it)
	@scripts/ensure cargo cc postgres
	scripts/sqlx-prepare --check

# The document is generated; `make openapi-write` writes it.
.PHONY: openapi
openapi: ## Check that docs/openapi.json is what the types say
	@scripts/ensure cargo cc
	@if [ ! -e docs/openapi.json ]; then echo "shiji: there is no docs/openapi.json yet"; exit 0; fi; \
	cargo build --quiet --bin shiji && $(TARGET)/debug/shiji openapi | diff -u docs/openapi.json - \
	|| { echo "shiji: docs/openapi.json is stale; run make openapi-write and commit it." >&2; exit 1; }

.PHONY: openapi-write
openapi-write: ## Write docs/openapi.json
	@scripts/ensure cargo cc
	cargo build --quiet --bin shiji
	mkdir -p docs
	$(TARGET)/debug/shiji openapi >$(TARGET)/openapi.json
	mv $(TARGET)/openapi.json docs/openapi.json

.PHONY: layering
layering: ## Check that imports point down only
	@scripts/ensure cargo cc
	cargo test --quiet --test shiji_tests layering::
