# Three stages: the libraries, each file checked against its hash; the bot's wheel; and what runs.
#
#   docker build -t flows-bot .                             (or, without a Docker engine: bash deploy/build_image.sh)
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#       --env-file .env -v flows-bot:/data -v ./policy:/etc/flows-bot:ro \
#       -p 127.0.0.1:3000:3000 --stop-timeout 30 flows-bot
#
# ./policy is a folder with policy.toml in it: of a file mounted by itself the bot never sees the new one that an editor
# puts in its place. No secret is needed to build. --stop-timeout: at a shutdown, stops under way get their last words (about 25 s).
#
# A tag moves. To pin the base, ask your registry for today's digest and build with it:
#   docker buildx imagetools inspect python:3.13-slim-bookworm
#   docker build --build-arg BASE=python:3.13-slim-bookworm@sha256:… -t flows-bot .

ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS libraries
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# Only these decide this layer, so it survives every change of the bot. deploy/requirements.txt is what the bot runs on, out of constraints.txt.
COPY deploy/requirements.txt /build/requirements.txt
RUN python3 -m venv --without-pip /opt/flows-bot \
    && pip --python /opt/flows-bot/bin/python install --no-deps --require-hashes --only-binary :all: -r /build/requirements.txt

FROM ${BASE} AS wheel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY deploy/build-requirements.txt ./
RUN python3 -m venv --without-pip /opt/build \
    && pip --python /opt/build/bin/python install --no-deps --require-hashes --only-binary :all: -r build-requirements.txt
COPY pyproject.toml hatch_build.py README.md LICENSE manifest.yml ./
COPY bot bot
RUN /opt/build/bin/python -m hatchling build --target wheel

FROM ${BASE}
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin flows-bot \
    && install --directory --owner=flows-bot --group=flows-bot --mode=0700 /data
COPY --from=libraries /opt/flows-bot /opt/flows-bot
# Copied, not mounted: not every builder looks at what is in a mount before it takes a layer out of its cache.
COPY --from=wheel /build/dist /opt/wheel
RUN pip --python /opt/flows-bot/bin/python install --no-cache-dir --no-deps --no-index /opt/wheel/flows_bot-*.whl

# 0.0.0.0 is the container's own network: publish the port to loopback or to your reverse proxy, never to the world.
# Two arenas: malloc would keep up to eight for each core, for threads that take turns anyway.
ENV PATH=/opt/flows-bot/bin:$PATH \
    MALLOC_ARENA_MAX=2 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLOWS_BOT_HOST=0.0.0.0 \
    FLOWS_BOT_PORT=3000 \
    FLOWS_BOT_LOG_FORMAT=json \
    FLOWS_BOT_POLICY=/etc/flows-bot/policy.toml \
    FLOWS_BOT_DATABASE_URL=sqlite:////data/flows-bot.db

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 3000

# Alive, not ready: a restart does not heal an unreachable VoIPBIN. Ask /readyz for that.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['FLOWS_BOT_PORT']}/healthz\", timeout=3)"]

# Last, since they change with each commit.
ARG VERSION=unknown
ARG REVISION=unknown
# https://github.com/opencontainers/image-spec/blob/main/annotations.md
LABEL org.opencontainers.image.title="flows-bot" \
    org.opencontainers.image.description="See and stop VoIPBIN activeflows from a Slack incident channel" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"

ENTRYPOINT ["flows-bot"]
CMD ["run"]
