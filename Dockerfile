FROM swift:6.3-bookworm AS packages
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev libssl-dev make pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The packages change less often than the sources: a layer of their own.
COPY Package.swift ./
RUN swift package resolve

# The tests, which also start PostgreSQL servers of their own: docker compose run --rm test [--filter SUITE]
FROM packages AS test
RUN apt-get update \
    && apt-get install -y --no-install-recommends pgbouncer postgresql \
    && rm -rf /var/lib/apt/lists/*
COPY Makefile Package.swift ./
COPY Fuzz Fuzz
COPY Sources Sources
COPY Tests Tests
COPY sql sql
RUN swift build --build-tests
# What the tests and their script read besides.
COPY . .
# They are built above. In another container, the files have other numbers of inodes, so everything would be built again.
ENTRYPOINT ["scripts/swift-test.sh", "--skip-build"]

FROM packages AS build
COPY . .
RUN make --silent program && install -D -s "$(make --silent program)" /out/mortise

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libpq5 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/mortise --shell /usr/sbin/nologin mortise \
    && install -d -o mortise -g mortise -m 0700 /var/lib/mortise
COPY --from=build /out/mortise /usr/local/bin/mortise
USER mortise
WORKDIR /var/lib/mortise
ENV MORTISE_DATA=/var/lib/mortise \
    MORTISE_LISTEN=0.0.0.0:8080
VOLUME /var/lib/mortise
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["mortise", "health"]
ENTRYPOINT ["mortise"]
CMD ["serve"]
