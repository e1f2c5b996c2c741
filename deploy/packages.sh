# Sourced by ./test: what only some tests need, from the distribution (Debian and those like it).

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin # Debian keeps servers out of the users' path

# need PACKAGE WHAT PROGRAM…: any of the programs will do. Without one the package is installed when we may (its services
# are not started), else we say what is skipped.
need() {
    package=$1 what=$2
    shift 2
    for program; do ! command -v "$program" >/dev/null || return 0; done
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        step "not on this machine: $package; $what are skipped (on Debian: apt-get install $package)"
        return 0
    fi
    step "installing $package for $what …"
    [ -n "${listed:-}" ] || { listed=yes && apt-get update -qq > build/apt.log 2>&1 || :; }
    install_package "$package" > build/apt.log 2>&1 ||
        step "$package could not be installed ($(tail -n 1 build/apt.log)); $what are skipped"
}

# In a shell of its own, which takes the ban on starting services away again however it ends.
install_package() (
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        trap 'exit 1' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod +x "$policy"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"
)
