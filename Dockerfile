# The image of every process of Rollcall: `docker compose build`, docs/kafka.md.
# tests/infra/test_dockerfile.py reads it, and executes its RUN lines without Docker.

# ------------------------------------------------------------------ the wheel, screens included
FROM python:3.12.13-slim-trixie AS made
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements-dev.txt ./
RUN python -m venv /opt/tools \
 && /opt/tools/bin/python -m pip install --quiet --only-binary :all: --require-hashes \
      -r requirements-dev.txt
COPY . ./
RUN /opt/tools/bin/python infra/assets/build.py --cache /opt/assets \
 && /opt/tools/bin/python -m pip wheel --quiet --no-deps --no-build-isolation \
      --wheel-dir /opt/dist .

# ------------------------------------------------------------------ what runs, and nothing else
FROM python:3.12.13-slim-trixie AS installed
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements.txt ./
RUN python -m venv /opt/rollcall \
 && /opt/rollcall/bin/python -m pip install --quiet --only-binary :all: --require-hashes \
      -r requirements.txt
COPY --from=made /opt/dist /opt/dist
RUN /opt/rollcall/bin/python -m pip install --quiet --no-deps --no-index /opt/dist/*.whl \
 && /opt/rollcall/bin/python -m pip check \
 && mkdir /opt/data

FROM python:3.12.13-slim-trixie
LABEL org.opencontainers.image.title="Rollcall" \
      org.opencontainers.image.licenses="EUPL-1.2"
# HOME is where the root file system is read-only and /tmp is not: Streamlit looks for its own.
ENV PATH=/opt/rollcall/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    ROLLCALL_DATA=/data
COPY --from=installed /opt/rollcall /opt/rollcall
# A new volume on /data belongs to whom it belongs to here.
COPY --from=installed --chown=10001:10001 /opt/data /data
USER 10001:10001
WORKDIR /data
ENTRYPOINT ["rollcall"]
CMD ["--help"]
