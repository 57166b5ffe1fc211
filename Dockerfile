# The command `gating` for the CPU: one static binary, and nothing else in the image.
#
#   docker build --tag gating .
#   docker run --rm --volume gating-models:/models gating model pull sentence-transformers/all-MiniLM-L6-v2
#   docker run --rm --volume gating-models:/models --volume "$PWD/state:/state" gating score --checkpoint /state "Hello"
#
# The user in the image, 65532, must be able to write to what is mounted at /state.

FROM rust:1.95.0-alpine3.22 AS build

# Binaries of Alpine are static. Its packages are not kept by version, so that none can be named.
# hadolint ignore=DL3018
RUN apk add --no-cache gcc make musl-dev

# The image has this compiler; without the variable, rust-toolchain.toml would fetch its tools too.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /build
COPY . .
RUN cargo build --release --locked --package gating-cli --no-default-features --features flex \
    && mkdir -p /image/models /image/state /image/bin /image/tmp \
    && cp target/release/gating /image/bin/gating

FROM scratch

# The user owns the folders, which volumes take over; the doctor writes its small network to /tmp.
COPY --from=build --chown=65532:65532 /image /
USER 65532:65532

# Where models are kept, as other tools of the hub know it.
ENV HF_HOME=/models
VOLUME ["/models"]
WORKDIR /state

HEALTHCHECK --interval=1m --timeout=10s CMD ["/bin/gating", "doctor", "--quiet"]
ENTRYPOINT ["/bin/gating"]
CMD ["help"]
