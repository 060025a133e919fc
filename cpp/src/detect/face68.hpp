// The 68 points of a face in iBUG's order.
#pragma once

#include <array>

#include "geometry/eye.hpp"

namespace dmask::face68 {

inline constexpr int count = 68;
// Where each group ends, and the next begins.
inline constexpr int jaw_end = 17, brows_end = 27, nose_end = 36, eyes_end = 48, outer_lips_end = 60;
inline constexpr int chin = 8, nasion = 27, nose_tip = 30, under_nose = 33;

struct Lid {
  int inner, outer;  // canthi
  std::array<int, 2> upper, lower;
};
inline constexpr std::array<Lid, 2> lids = {{{39, 36, {37, 38}, {40, 41}}, {42, 45, {43, 44}, {46, 47}}}};  // by Eye

// Pairs of the inner lips that touch where the mouth is shut: upper, lower.
inline constexpr std::array<std::array<int, 2>, 3> inner_lips = {{{61, 67}, {62, 66}, {63, 65}}};

constexpr bool is_canthus(int i) {
  return i == lids[OD].outer || i == lids[OD].inner || i == lids[OS].inner || i == lids[OS].outer;
}

// Which point is which in a mirror.
inline constexpr std::array<int, count> mirrored = {
    16, 15, 14, 13, 12, 11, 10, 9,  8,  7,  6,  5,  4,  3,  2,  1,  0,                // jaw
    26, 25, 24, 23, 22, 21, 20, 19, 18, 17,                                           // brows
    27, 28, 29, 30, 35, 34, 33, 32, 31,                                               // nose
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,                                   // eyes
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65};  // mouth

}  // namespace dmask::face68
