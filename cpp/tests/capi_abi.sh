#!/usr/bin/env bash
# What programs were compiled against, against what this library is: struct layouts and exported symbols.
#   capi_abi.sh CAPI_LAYOUT LIBDMASK capi_abi.txt   (a fourth argument --write accepts the new ABI)
# Of a DLL its import library is given; LAUNCHER runs programs that this system does not run by itself.
set -euo pipefail
layout=$1 library=$2 expected=$3
now=$(mktemp)
trap 'rm -f "$now"' EXIT
exported() {
  case $library in
    *.dll.a) nm "$library" 2>/dev/null | awk '$2 == "I" && sub(/^__imp_/, "", $3) {print "symbol", $3}' ;;
    *) nm -D --defined-only "$library" | awk '$2 != "A" {sub(/@.*/, "", $3); print "symbol", $3}' ;;
  esac
}
{
  ${LAUNCHER:+"$LAUNCHER"} "$layout" | tr -d '\r'
  exported | LC_ALL=C sort
} >"$now"
# These lie in other structs: a later field takes the place of a reserved one, and their size stays.
for embedded in dmask_patient dmask_eye_measures dmask_point dmask_eye_landmarks; do
  size() { awk -v name="$embedded" '$1 == name {print $2}' "$1"; }
  if [ -z "$(size "$now")" ] || [ "$(size "$now")" != "$(size "$expected")" ]; then
    echo "$embedded has $(size "$now") bytes, expected $(size "$expected") as ever: take the place of one that is reserved" >&2
    exit 1
  fi
done
if [ "${4:-}" = --write ]; then cp "$now" "$expected"; fi
if ! diff -u "$expected" "$now"; then
  echo "the ABI changed: raise the version as dmask.h says, then run this script with --write" >&2
  exit 1
fi
if grep '^symbol' "$now" | grep -v '^symbol dmask_'; then
  echo "the library exports more than dmask.h" >&2
  exit 1
fi
