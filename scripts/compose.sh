#!/usr/bin/env bash
# Docker Compose with the given arguments: the installed one, or one that is fetched into .build/tools, which can check docker-compose.yml
# without a Docker engine. Debian 12 has no Compose 2, so it comes from the release after it, unpacked and not installed.
# Ends with 69 (EX_UNAVAILABLE) where there is none and none can be fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=.build/tools/docker-compose

# fetch: puts the Compose of Debian 13 into $tool, with a state of apt's own, so that the machine's packages stay what they are.
fetch() {
    local site state
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return
    # The machine's own mirror of Debian's main archive.
    site=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
        awk '$1 ~ /^(bookworm|trixie)$/ && $2 == "main" { print $3; exit }')
    [[ -n $site ]] || return
    state=$(mktemp -d)
    chmod 755 "$state"
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site trixie main" >"$state/sources.list"
    local apt=(apt-get -qq -o Dir::State::Lists="$state/lists" -o Dir::Etc::SourceList="$state/sources.list"
        -o Dir::Etc::SourceParts=/dev/null -o Dir::Cache="$state" -o APT::Sandbox::User="$(id -un)" -o Acquire::Retries=3)
    if "${apt[@]}" update && (cd "$state" && "${apt[@]}" download docker-compose) &&
        dpkg-deb -x "$state"/docker-compose_*.deb "$state/root"; then
        mkdir -p "$(dirname "$tool")"
        mv "$state/root/usr/libexec/docker/cli-plugins/docker-compose" "$tool"
    fi
    rm -rf "$state"
    [[ -x $tool ]]
}

if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; fi
if [[ -x $tool ]] || fetch >&2; then exec "$tool" "$@"; fi
echo "Docker Compose 2 was not found and could not be fetched." >&2
exit 69
