# The operator: control plane, no machine-learning stack.
#
#   docker build --tag swiftlet/operator:0.1.0 .
#   docker build --build-arg BASE=python:3.11-slim-bookworm@sha256:... .     # pinned by digest
#
# BASE is any Debian with Python 3.11, its venv module and CA certificates. A build reaches a package index and nothing
# else; UV_DEFAULT_INDEX names another one than PyPI. Every package comes by hash from operator/requirements.lock, which
# is also the image's list of contents.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG UV_DEFAULT_INDEX
# Downloads kept between builds; a build that mounts a folder of its own names it here.
ARG UV_CACHE_DIR=/root/.cache/uv
# Byte code is compiled here, because the root file system is read-only where the image runs. It holds whatever becomes
# of time stamps on the way.
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH UV_SYSTEM_CERTS=1
COPY operator/build.lock /build/
RUN python3 -m venv /opt/build \
 && /opt/build/bin/pip install --quiet --no-cache-dir --no-compile --disable-pip-version-check \
      ${UV_DEFAULT_INDEX:+--index-url "${UV_DEFAULT_INDEX}"} --require-hashes --requirement /build/build.lock
COPY operator/requirements.lock /build/
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/build/bin/uv venv --quiet /opt/swiftlet \
 && /opt/build/bin/uv pip sync --quiet --require-hashes --python /opt/swiftlet /build/requirements.lock
COPY pyproject.toml README.md LICENSE /build/
COPY operator/src /build/operator/src
COPY trainer_image/src /build/trainer_image/src
RUN --mount=type=cache,target=/root/.cache/uv \
    /opt/build/bin/uv build --quiet --wheel --no-build-isolation --python /opt/build --out-dir /build/dist /build \
 && /opt/build/bin/uv pip install --quiet --no-deps --no-index --python /opt/swiftlet /build/dist/*.whl

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="swiftlet-operator" \
      org.opencontainers.image.description="Fine-tuning, evaluation and serving of language models as custom resources" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A user by name, for the libraries that ask who runs them.
RUN printf 'nonroot:x:65532:65532:nonroot:/tmp:/usr/sbin/nologin\n' >> /etc/passwd \
 && printf 'nonroot:x:65532:\n' >> /etc/group
COPY --from=build /opt/swiftlet /opt/swiftlet
# Nothing is written: byte code is there, and there is no home. /tmp is a volume where the root file system is read-only.
ENV PATH=/opt/swiftlet/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080
ENTRYPOINT ["swiftlet"]
CMD ["operator", "run"]
