// track.dmask: what the mask of a recording is drawn from, as its profile lets it out. The one reader and the one writer.
//
// A container (models/container.hpp) of these arrays:
//   version              i32 (1)
//   subject              f32 (4)      profile, hfov_deg, scale of the face, 1 where the lids follow the brows
//   eyes_shown           u8 (2)       of a close-up: OD, OS; absent: a face
//   identity             f32 (K)      w_fs
//   od_shape, os_shape   f32 (Ks)     w_es
//   od_place, os_place   f32 (8)      eyeball centre, patch offset (3 each, head frame, mm), patch roll (rad), iris radius (mm)
//   rows                 f32 (F, D)   MaskFrame::write_row
//   time_s               f64 (F)      rising, by a tick of the time base at least
//   time_base, rate      i64 (2)      s a tick and frames a s, numerator and denominator
//   size                 i32 (2)      width and height, px
//   sha256               u8 (32)      of all bytes before it; the last array, the end of the file
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/mask.hpp"

namespace dmask {

struct Fraction {
  std::int64_t numerator = 1, denominator = 1;
  double value() const { return static_cast<double>(numerator) / static_cast<double>(denominator); }
};

void check_subject(const MaskSubject& subject);  // throws Error for what no patient can be

struct Track {
  static constexpr int version = 2;  // the first had no version and no checksum
  static constexpr int largest_px = largest_side_px;

  MaskSubject subject;
  int row_size = 0;            // D
  std::vector<float> rows;     // F * D
  std::vector<double> time_s;  // F
  Fraction time_base{1, 90000}, rate{30, 1};
  int width = 0, height = 0;  // px

  int frames() const { return static_cast<int>(time_s.size()); }
  void add(const float* row, int numbers, double at_s);  // throws Error for another length than before

  // What a reader may rely on. Throws Error.
  void check() const;

  // All of these throw Error, saying what is wrong with the file or its place.
  void write(const std::string& path) const;  // whole or not at all
  std::vector<std::uint8_t> bytes() const;
  static Track read(const std::string& path);
  static Track parse(std::vector<std::uint8_t> bytes, const std::string& name);
};

// Puts the checksum of a changed file right again: for fuzzing and tests, which look behind it.
void seal_track(std::vector<std::uint8_t>& bytes);

}  // namespace dmask
