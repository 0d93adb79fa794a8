# Functions of the two installation scripts; sourced, not run.

# has_header NAME: whether a C header is installed where the compiler looks.
has_header() {
    local folder
    for folder in /usr/include "/usr/include/$(uname -m)-linux-gnu" /usr/local/include; do
        [[ -e $folder/$1 ]] && return 0
    done
    return 1
}

# has_postgres: whether PostgreSQL's server programs are where Mortise looks for them.
has_postgres() {
    [[ -n ${MORTISE_POSTGRES_BIN:-} ]] && return 0
    command -v initdb >/dev/null && command -v pg_ctl >/dev/null && return 0
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || compgen -G '/usr/pgsql-*/bin/initdb' >/dev/null
}

# run_apt ARGUMENT...: runs apt-get, through sudo unless root.
run_apt() {
    local root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "Please run as root, and try again: apt-get $*" >&2
            return 1
        fi
        root=(sudo)
    fi
    # Another apt, such as the one that runs after a machine's first boot, may hold the lock for minutes.
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 "$@"
}

# install_packages NAME...: installs Debian packages, through sudo unless root; nothing to install is success.
install_packages() {
    (($# > 0)) || return 0
    if ! command -v apt-get >/dev/null; then
        echo "Please install what these Debian packages hold, and try again: $*" >&2
        return 1
    fi
    if ((EUID != 0)) && ! command -v sudo >/dev/null; then
        echo "Please run as root, and try again: apt-get install -y --no-install-recommends $*" >&2
        return 1
    fi
    echo "Installing with apt-get: $*"
    if [[ " $* " == *" postgresql "* ]]; then
        echo "(Debian may start a PostgreSQL server of its own on port 5432; Mortise does not touch it.)"
    fi
    run_apt update -qq
    run_apt install -y -qq --no-install-recommends "$@"
}

# unpack_package NAME FOLDER: unpacks a Debian package into a folder without installing it, and installs the libraries that it needs.
unpack_package() {
    local package=$1 folder=$2 work library missing=()
    if ! command -v apt-get >/dev/null; then
        echo "Please unpack Debian's package $package into $folder, and try again." >&2
        return 1
    fi
    echo "Unpacking $package into $folder"
    work=$(mktemp -d)
    local download=(apt-get -o APT::Sandbox::User=root -o Acquire::Retries=3 download -qq "$package")
    # The lists of packages may be absent or old.
    (cd "$work" && "${download[@]}" 2>/dev/null) || { run_apt update -qq && (cd "$work" && "${download[@]}"); }
    for library in $(dpkg-deb --field "$work"/*.deb Depends | tr ',' '\n' | sed -nE 's/^ *(lib[^ ]+).*/\1/p'); do
        # An installed library is not upgraded.
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$library" 2>/dev/null) == installed ]] || missing+=("$library")
    done
    install_packages "${missing[@]}"
    rm -rf "$folder"
    mkdir -p "$folder"
    dpkg-deb --extract "$work"/*.deb "$folder"
    rm -rf "$work"
}
