#!/usr/bin/env bash
# What a vendor does: take the installed tree, move it, build the examples against it, run them. No Python anywhere.
#   installed_tree.sh BUILD_DIR SOURCE_DIR FACE_FRAMES
set -euo pipefail
build=$1 source=$2 face_frames=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/first" --component library >"$work/install.log"
mv "$work/first" "$work/moved here"
tree="$work/moved here"
du -sh "$tree" | cut -f1 | sed 's/^/installed tree: /'

# Neither a Python nor a library path of this shell may be of help; the compilers and cmake come by their full names.
cmake=$(command -v cmake)
clean() { env -i PATH="$work/bin" HOME="$work" "$@"; }
mkdir "$work/bin"
for tool in cc c++ gcc g++ make ld as ar ranlib nm strip objcopy objdump readelf uname sh pkg-config; do
  if path=$(PATH=/usr/local/bin:/usr/bin:/bin command -v $tool); then ln -s "$path" "$work/bin/$tool"; fi
done
clean "$cmake" -S "$source/examples/cpp" -B "$work/examples" -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$tree" \
  -DCMAKE_C_FLAGS="-Wall -Wextra -pedantic -Werror" -DCMAKE_CXX_FLAGS="-Wall -Wextra -Werror"
clean "$cmake" --build "$work/examples"

"$face_frames" "$tree/share/dmask/models" 640 640 0 >"$work/face.ppm"
"$face_frames" "$tree/share/dmask/models" 640 640 20 >"$work/frames.bgr"
clean "$work/examples/picture_mask" "$work/face.ppm" "$work/mask.ppm"
clean "$work/examples/camera_mask" 640 640 30 <"$work/frames.bgr" >"$work/masks.bgr" 2>"$work/measures.csv"
tail -n 2 "$work/measures.csv"
same() { [ "$(stat -c %s "$1")" = "$(stat -c %s "$2")" ] || { echo "$2 is not as long as $1" >&2; exit 1; }; }
same "$work/face.ppm" "$work/mask.ppm"
same "$work/frames.bgr" "$work/masks.bgr"
if cmp -s "$work/frames.bgr" "$work/masks.bgr"; then echo "the masks are the frames" >&2; exit 1; fi

# A slit lamp's program, through pkg-config where there is one. A face alone needs no net for close-ups.
slit_lamp="$work/examples/slit_lamp"
if [ -e "$work/bin/pkg-config" ]; then
  pc=(PKG_CONFIG_PATH="$(echo "$tree"/lib*/pkgconfig)" pkg-config)
  variable() { # without the backslashes that pkgconf puts before spaces
    local value
    value=$(clean "${pc[@]}" --variable="$1" dmask)
    echo "${value//\\ / }"
  }
  if ! [ "$(variable models_dir)" -ef "$tree/share/dmask/models" ]; then
    echo "dmask.pc says that the models are in $(variable models_dir)" >&2
    exit 1
  fi
  slit_lamp="$work/slit_lamp"
  rpath="-Wl,-rpath,$(variable libdir)"
  flags=$(clean "${pc[@]}" --cflags --libs dmask)  # quoted for a shell
  eval "clean cc -std=c99 -O2 -Wall -Wextra -pedantic -Werror \"\$source/examples/cpp/slit_lamp.c\" $flags \"\$rpath\" -lm -o \"\$slit_lamp\""
fi
measured() { # CSV COLUMN: how many lines have a number there
  awk -F, -v column="$2" 'NR == 1 {for (i = 1; i <= NF; ++i) if ($i == column) at = i} NR > 1 && $at != "" {++n} END {print n + 0}' "$1"
}
clean "$slit_lamp" --size 640x640 --format bgr --view face --mask "$work/mask.pgm" - <"$work/frames.bgr" >"$work/face.csv"
tail -n 2 "$work/face.csv"
[ "$(measured "$work/face.csv" mrd1_mm)" -eq 40 ] || { echo "got no MRD1 of both eyes in each of 20 frames" >&2; exit 1; }
[ "$(stat -c %s "$work/mask.pgm")" -eq $((640 * 640 + 15)) ] || { echo "the mask is no PGM of 640 x 640" >&2; exit 1; }
if [ -e "$tree/share/dmask/models/eye_finder.onnx" ] && [ -e "$tree/share/dmask/models/regions.onnx" ]; then
  "$face_frames" "$tree/share/dmask/models" 640 480 5 4 >"$work/eye.bgr"
  clean "$slit_lamp" --size 640x480 --format bgr --mask "$work/masks.bgr" - "$work/eye.bgr" >"$work/eye.csv"
  tail -n 2 "$work/eye.csv"
  [ "$(grep -c ',od,,' "$work/eye.csv")" -eq 5 ] || { echo "got no right eye in each of 5 frames" >&2; exit 1; }
  [ "$(measured "$work/eye.csv" pupil_mm)" -eq 5 ] || { echo "got no pupil in each of 5 frames" >&2; exit 1; }
  same "$work/eye.bgr" "$work/masks.bgr"
else
  echo "close-ups were left out: the installed tree has no eye_finder.onnx and regions.onnx"
fi

# Nothing of the inference runtime came from elsewhere.
for library in "$tree"/lib*/libdmask.so "$tree"/lib*/libopenvino_intel_cpu_plugin.so "$tree"/lib*/libopenvino_onnx_frontend.so.*; do
  if clean /usr/bin/ldd "$library" 2>/dev/null | grep -E "not found|openvino|libtbb" | grep -v "$tree"; then
    echo "$library finds its runtime outside the installed tree" >&2
    exit 1
  fi
done
echo "installed tree: passed"
