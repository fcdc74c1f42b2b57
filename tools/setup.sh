#!/bin/sh
# Prepares .tools/venv: a Python with Blender as a module, MiniStack, and the developers' tools; with
# the argument `demo` only what the demo runs.
# Blender 5.2 where there is a Python 3.13, else Blender 4.5 with Python 3.11: bpy asks for exactly
# these. Does nothing where nothing has changed.
set -eu
cd "$(dirname "$0")/.."
venv=.tools/venv

works() { "$1" -c 'import ensurepip, venv' >/dev/null 2>&1; }

# Prints a Python of a version: from the path, or from pyenv, where it may not be activated.
python_of() {
    for candidate in "$(command -v "python$1" || true)" \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python3; do
        if [ -x "$candidate" ] && works "$candidate"; then
            echo "$candidate"
            return 0
        fi
    done
    return 1
}

if python=$(python_of 3.13); then
    bpy=bpy==5.2.3
elif python=$(python_of 3.11); then
    bpy=bpy==4.5.15
else
    echo "error: Blender's module needs Python 3.13 or 3.11 with venv, and neither was found." >&2
    echo "       On Debian 12:    sudo apt-get install python3.11-venv" >&2
    echo "       On Debian 13:    sudo apt-get install python3.13-venv" >&2
    echo "       On Ubuntu 24.04: sudo add-apt-repository ppa:deadsnakes/ppa && sudo apt-get install python3.13-venv" >&2
    exit 1
fi

# The toolchain: rust-toolchain.toml says which; a C compiler for zstd and ring.
for tool in cargo cc; do
    if ! command -v $tool >/dev/null; then
        echo "error: $tool was not found." >&2
        case $tool in
            cargo) echo "       Install Rust from https://rustup.rs" >&2 ;;
            cc) echo "       Run: sudo apt-get install build-essential" >&2 ;;
        esac
        exit 1
    fi
done

# Blender's module links these; a server or a container often lacks them.
missing=
for library in libX11.so.6:libx11-6 libXi.so.6:libxi6 libXxf86vm.so.1:libxxf86vm1 \
    libXfixes.so.3:libxfixes3 libXrender.so.1:libxrender1 libSM.so.6:libsm6 libICE.so.6:libice6 \
    libxkbcommon.so.0:libxkbcommon0 libGL.so.1:libgl1 libEGL.so.1:libegl1; do
    ldconfig -p | grep -q "${library%%:*}" || missing="$missing ${library##*:}"
done
# The keychain that tests use.
if [ "${1:-}" != demo ]; then
    command -v gnome-keyring-daemon >/dev/null || missing="$missing gnome-keyring"
    command -v dbus-daemon >/dev/null || missing="$missing dbus-daemon"
    command -v dbus-send >/dev/null || missing="$missing dbus-bin"
fi
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "setup: installing$missing"
        apt-get update -qq
        # shellcheck disable=SC2086 # a list of packages
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    else
        echo "error: Blender's module or the tests need packages that are not installed." >&2
        echo "       Run: sudo apt-get install$missing" >&2
        exit 1
    fi
fi

# What is there is told by files, so that nothing is done where nothing has changed.
install() {
    list=$1
    wanted="$("$python" --version) $bpy $(cat $list | cksum)"
    [ "$(cat $venv/.$list 2>/dev/null)" != "$wanted" ] || return 0
    echo "setup: installing what $list names, with $bpy (the first time: $2)"
    [ -x $venv/bin/python ] || "$python" -m venv $venv
    $venv/bin/python -m pip install --quiet --disable-pip-version-check $bpy -r $list
    echo "$wanted" >$venv/.$list
}

if [ -x $venv/bin/python ] && [ "$($venv/bin/python --version)" != "$("$python" --version)" ]; then
    rm -rf $venv
fi
mkdir -p .tools
install requirements-demo.txt "400 MB"
# The oldest Blenders that the extension is for, each in a folder of its own: they want other Pythons.
install_older() {
    older=.tools/blender-$1
    [ "$(cat "$older/.installed" 2>/dev/null)" != "$2" ] || return 0
    if ! python=$(python_of 3.11); then
        echo "setup: no Python 3.11 was found: nothing is tried in Blender $1"
        return 0
    fi
    echo "setup: installing Blender $1 (the first time: 350 MB)"
    rm -rf "$older"
    "$python" -m venv "$older"
    "$older/bin/python" -m pip install --quiet --disable-pip-version-check "$2"
    echo "$2" >"$older/.installed"
}

if [ "${1:-}" != demo ]; then
    install requirements-dev.txt "200 MB"
    install_older 4.2 bpy==4.2.23
    install_older 4.5 bpy==4.5.15
fi
