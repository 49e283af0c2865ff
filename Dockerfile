# Two stages: the first checks every library against its hash and builds, the second only runs.
#
#   docker build -t flows-bot .
#   docker run --env-file .env -v flows-bot:/data -v ./policy:/etc/flows-bot:ro \
#       -p 127.0.0.1:3000:3000 --stop-timeout 30 flows-bot
#
# ./policy is a folder with policy.toml in it: of a file mounted by itself the bot never sees the new one that an editor
# puts in its place. No secret is needed to build. --stop-timeout: at a shutdown, stops under way get their last words (about 25 s).

FROM python:3.13-slim-bookworm AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

# pip checks hashes only when every requirement has one, and this project cannot have one of itself. So: fetch what
# constraints.txt names, hash for hash, and then install from these files alone, only what the bot runs on.
COPY constraints.txt .
RUN pip download --no-deps --require-hashes --only-binary :all: --requirement constraints.txt --dest wheels

COPY pyproject.toml README.md LICENSE manifest.yml ./
COPY bot bot
RUN python -m venv --without-pip /opt/flows-bot \
    && pip --python /opt/flows-bot/bin/python install --no-index --find-links wheels .

FROM python:3.13-slim-bookworm
COPY --from=build /opt/flows-bot /opt/flows-bot
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin flows-bot \
    && install --directory --owner=flows-bot --group=flows-bot --mode=0700 /data

# 0.0.0.0 is the container's own network: publish the port to loopback or to your reverse proxy, never to the world.
ENV PATH=/opt/flows-bot/bin:$PATH \
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

ENTRYPOINT ["flows-bot"]
CMD ["run"]
