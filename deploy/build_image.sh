#!/usr/bin/env bash
# Build the image and start it once, without a Docker engine: with buildah (Debian: apt-get install buildah mmdebstrap).
#   bash deploy/build_image.sh                              the image localhost/flows-bot
#   BASE=python:3.13-slim-bookworm@sha256:… bash deploy/build_image.sh
# Where no registry of images is reached, the base is made of Debian's own packages (its Python instead of BASE's). Where
# neither can be had, or the kernel allows no containers, it says so and ends with 69 (not to be had here).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=${TAG:-flows-bot}
base=${BASE:-python:3.13-slim-bookworm}
isolation=${BUILDAH_ISOLATION:-chroot} # needs no mounts of its own, so it works inside of a container, too
export BUILDAH_ISOLATION=$isolation STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}

cannot() { printf 'The image cannot be built here: %s\n' "$*" >&2; exit 69; }
say() { printf '── %s\n' "$*"; }

command -v buildah >/dev/null || cannot "buildah is missing (Debian: apt-get install buildah)."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! buildah pull --quiet "$base" >"$folder/pull" 2>&1; then
    say "no registry has $base for us; a base of Debian's own packages instead"
    command -v mmdebstrap >/dev/null || cannot "no registry of images is reached, and mmdebstrap is missing (apt-get install mmdebstrap)."
    base=localhost/flows-bot-base
    if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
        mmdebstrap --quiet --variant=apt --include=ca-certificates,python3,python3-pip,python3-venv,python-is-python3 \
            bookworm "$folder/base.tar" || cannot "Debian's packages are not reached."
        new=$(buildah from scratch)
        buildah add --quiet "$new" "$folder/base.tar" / >/dev/null
        buildah commit --quiet --rm "$new" "$base" >/dev/null
    fi
fi

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
# A mirror that this machine's pip is set up for serves the build, too; nothing of that stays in the image.
own=()
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    [[ -f $file ]] && own+=(--volume "$file:$file:ro")
done
say "building $tag $version on $base"
buildah build --quiet --layers --network host "${own[@]}" --ignorefile .dockerignore --format docker \
    --build-arg BASE="$base" --build-arg VERSION="$version" --build-arg REVISION="$revision" --tag "$tag" . >/dev/null ||
    cannot "the build failed; the lines above say why."

say "starting it"
container=$(buildah from "$tag")
trap 'buildah rm "$container" >/dev/null; rm -rf "$folder"' EXIT
inside() { buildah run --network host --cap-drop all "$container" -- "$@"; }
[[ $(inside id -u) == 10001 ]] || { echo "it runs as somebody else than 10001" >&2; exit 1; }
[[ $(inside flows-bot --version) == *"$version"* ]] || { echo "it does not say its version" >&2; exit 1; }
inside flows-bot manifest >/dev/null
inside python -c 'import importlib.util as u, sys; sys.exit(u.find_spec("bot.demo") is not None)' || { echo "the demo is in it" >&2; exit 1; }
inside flows-bot demo 2>"$folder/said" || true # it ends with 2, in words
grep -q 'The demo is not in this installation' "$folder/said" || { cat "$folder/said" >&2; exit 1; }
# Without any setting it has to end at once, with a line for each that is missing, and no traceback.
if inside flows-bot run 2>"$folder/said"; then
    echo "it ran without any setting" >&2; exit 1
fi
grep -q 'SLACK_BOT_TOKEN is missing' "$folder/said" || { cat "$folder/said" >&2; exit 1; }
say "built and started: $tag $version ($(buildah images --format '{{.Size}}' "$tag" | head -1))"
