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
for tool in cc c++ gcc g++ make ld as ar ranlib nm strip objcopy objdump readelf uname sh; do
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

# Nothing of the inference runtime came from elsewhere.
for library in "$tree"/lib*/libdmask.so "$tree"/lib*/libopenvino_intel_cpu_plugin.so "$tree"/lib*/libopenvino_onnx_frontend.so.*; do
  if clean /usr/bin/ldd "$library" 2>/dev/null | grep -E "not found|openvino|libtbb" | grep -v "$tree"; then
    echo "$library finds its runtime outside the installed tree" >&2
    exit 1
  fi
done
echo "installed tree: passed"
