#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Debian packages that a command needs: says which are missing, whether the system has them, and what
# they cost, and only then installs them, or tells what to type. Sourced by ./bulkhead, which sets `top`.
# shellcheck disable=SC2154

tell() {
    echo "bulkhead: $*" >&2
}

# The packages of some groups, from the lines `group package...` of tools/packages.
packages_of() {
    for group in "$@"; do
        sed -n "s/^${group}[[:space:]][[:space:]]*//p" "$top/tools/packages"
    done
}

# Those of the packages that are not installed.
missing_of() {
    # shellcheck disable=SC2016 # dpkg's own fields
    status=$(dpkg-query -W -f '${Package}=${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        printf '%s\n' "$status" | grep -qx "$package=installed" || echo "$package"
    done
}

# Has apt ever read a list of what there is?
lists_are_there() {
    LC_ALL=C apt-cache policy 2>/dev/null | grep -q '^ *[0-9-]* [a-z+-]*:/'
}

# Those of the packages that no source of this system has.
absent_of() {
    there=$(LC_ALL=C apt-cache policy "$@" 2>/dev/null |
        awk '/^[^ ]/ { name = $1; sub(/:$/, "", name) } /^  Candidate:/ && $2 != "(none)" { print name }')
    for package in "$@"; do
        printf '%s\n' "$there" | grep -qx "$package" || echo "$package"
    done
}

# What apt-get would download and unpack, with all that the packages need themselves.
cost_of() {
    LC_ALL=C apt-get install --print-uris -y --no-install-recommends "$@" 2>/dev/null |
        sed -n 's/^Need to get \([0-9.,]* [kMG]*B\).* of archives\.$/\1 to download/p
                s/^After this operation, \(.*\) of additional disk space will be used\.$/\1 on the disk/p' |
        sed -n 'N; s/\n/, /p'
}

# How to become root: sets as_root. False if nobody is there to ask for a password.
find_root() {
    as_root=
    [ "$(id -u)" != 0 ] || return 0
    as_root=sudo
    command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

install_packages() {
    $as_root apt-get update -q
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# refuse_absent COMMAND PACKAGE...: ends the script if apt's lists, where there are some, lack a package.
refuse_absent() {
    command=$1
    shift
    lists_are_there || return 0
    absent=$(absent_of "$@" | tr '\n' ' ')
    [ -n "$absent" ] || return 0
    tell "this system has no package ${absent% }, so $command cannot work here; nothing was installed"
    exit 1
}

# provide COMMAND GROUP...: returns if all is installed; ends the script if that cannot be.
provide() {
    command=$1
    shift
    [ $# -gt 0 ] || return 0
    # shellcheck disable=SC2046 # lists of names of packages
    set -- $(missing_of $(packages_of "$@"))
    [ $# -gt 0 ] || return 0
    refuse_absent "$command" "$@"
    tell "$command needs $# Debian packages that are not installed: $*"
    can_install=yes
    find_root || can_install=no
    [ $can_install = no ] || lists_are_there || $as_root apt-get update -q
    refuse_absent "$command" "$@"
    ! lists_are_there || tell "with all they need: $(cost_of "$@")"
    if [ $can_install = no ]; then
        tell "as root, type:"
        echo "apt-get update && apt-get install --no-install-recommends $*" >&2
        exit 1
    fi
    install_packages "$@"
}
