#include "detect/face_lids.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "detect/face68.hpp"

namespace dmask {
namespace {

constexpr float min_lid_confidence = 0.5f;

void move_to(const Landmark& from, Landmark& point) {
  point.x = from.x;
  point.y = from.y;
}

// Nearest point of the margin lid[first] .. lid[first + 10], the ring closed.
void move_onto(const std::array<Landmark, 20>& lid, int first, Landmark& point) {
  const Vec2f p(point.x, point.y);
  float least = std::numeric_limits<float>::max();
  for (int k = first; k < first + 10; ++k) {
    const Vec2f a(lid[k].x, lid[k].y), b(lid[(k + 1) % 20].x, lid[(k + 1) % 20].y);
    const float length2 = std::max((b - a).squaredNorm(), 1e-9f);
    const Vec2f on = a + std::clamp((p - a).dot(b - a) / length2, 0.0f, 1.0f) * (b - a);
    if (const float distance2 = (on - p).squaredNorm(); distance2 < least) {
      least = distance2;
      point.x = on.x();
      point.y = on.y();
    }
  }
}

}  // namespace

void take_lids(const std::array<Landmark, 20>& lid, Eye eye, std::array<Landmark, 68>& face) {
  const float confidence = std::accumulate(
      lid.begin(), lid.end(), 0.0f, [](float sum, const Landmark& point) { return sum + point.confidence / 20; });
  if (confidence < min_lid_confidence) return;
  const face68::Lid& own = face68::lids[eye];
  for (const int i : own.upper) move_onto(lid, 0, face[i]);
  for (const int i : own.lower) move_onto(lid, 10, face[i]);
  move_to(lid[0], face[own.inner]);
  move_to(lid[10], face[own.outer]);
}

void doubt_lids(const std::array<Landmark, 68>& face, Eye eye, std::array<Landmark, 20>& lid) {
  constexpr float undoubted = 0.4f, least_share = 0.45f;
  const face68::Lid& own = face68::lids[eye];
  float seen = 0;
  for (const int i : {own.inner, own.upper[0], own.upper[1], own.outer, own.lower[0], own.lower[1]})
    seen += face[i].confidence / 6;
  const float share = std::min(1.0f, least_share + (1 - least_share) * seen / undoubted);
  for (Landmark& point : lid) point.confidence *= share;
}

}  // namespace dmask
