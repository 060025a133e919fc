#include "detect/corneal_reflex.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "detect/grey_level.hpp"
#include "detect/outline.hpp"

namespace dmask {
namespace {

constexpr int view_px = 64, pixels = view_px * view_px;
constexpr float view_radii = 2.9f;        // of the limbus, across the view
constexpr float least_radius_px = 10;     // of the limbus, in the frame: in smaller ones no reflex tells anything
constexpr float least_confidence = 0.5f;  // of the iris' centre
constexpr float reach_radii = 0.9f;       // from the centre: beyond lies the sclera, which is bright, too
constexpr float border_radii = 0.12f;     // of lids, along which tears mirror as well
constexpr float least_levels = 40;        // above the iris' median, grey levels
constexpr float widest_radii = 0.3f;      // of a spot: a window is wider
constexpr float rival_share = 0.5f;       // of the brightest spot's height: what is darker is the iris' own pattern
constexpr float halo_radii = 0.15f;       // about a spot, where it ends in any picture

float limbus_radius(const EyeDetection& eye) {
  float radius = 0;
  for (int k = 1; k < 19; ++k) radius += std::hypot(eye.iris[k].x - eye.iris[0].x, eye.iris[k].y - eye.iris[0].y) / 18;
  return radius;
}

struct Pixel {
  int x, y;
  Vec2f place() const { return {static_cast<float>(x), static_cast<float>(y)}; }
  int index() const { return y * view_px + x; }
};

template <class Visit>
void for_each_pixel(Visit&& visit) {
  for (int y = 0; y < view_px; ++y)
    for (int x = 0; x < view_px; ++x) visit(Pixel{x, y});
}

// The view's pixels, and which of them are to be looked at still. Nothing is allocated.
struct Search {
  std::array<float, pixels> grey;
  std::array<bool, pixels> iris{};  // what is seen of it between the lids
  std::array<bool, pixels> left{};  // what of that was not looked at so far
  std::array<bool, pixels> in_spot{};
  std::array<Pixel, pixels> spot;
  int spot_size = 0;

  void add(const Pixel& p) {
    in_spot[p.index()] = true;
    spot[spot_size++] = p;
  }

  // All that is connected to a peak and higher than `level`.
  void grow(const Pixel& peak, float level) {
    in_spot.fill(false);
    spot_size = 0;
    add(peak);
    for (int k = 0; k < spot_size; ++k) {
      const Pixel at = spot[k];
      for (int y = std::max(at.y - 1, 0); y <= std::min(at.y + 1, view_px - 1); ++y)
        for (int x = std::max(at.x - 1, 0); x <= std::min(at.x + 1, view_px - 1); ++x)
          if (const Pixel p{x, y}; !in_spot[p.index()] && grey[p.index()] > level) add(p);
    }
  }

  // The spot's centre, by how much each pixel is higher than `level`; nothing where it goes on beyond the iris.
  std::optional<Vec2f> centre(float level) const {
    Vec2f sum = Vec2f::Zero();
    float weights = 0;
    for (int k = 0; k < spot_size; ++k) {
      const int at = spot[k].index();
      if (!iris[at]) return {};
      sum += (grey[at] - level) * spot[k].place();
      weights += grey[at] - level;
    }
    return sum / weights;
  }

  void leave_out_spot(int halo) {
    for (int k = 0; k < spot_size; ++k)
      for (int y = std::max(spot[k].y - halo, 0); y <= std::min(spot[k].y + halo, view_px - 1); ++y)
        for (int x = std::max(spot[k].x - halo, 0); x <= std::min(spot[k].x + halo, view_px - 1); ++x)
          left[Pixel{x, y}.index()] = false;
  }
};

}  // namespace

Crop reflex_view(const EyeDetection& eye) {
  Crop view;
  const float radius = limbus_radius(eye);
  if (!(radius >= least_radius_px) || !(eye.iris[0].confidence >= least_confidence)) return view;
  view.width = view.height = view_px;
  view.width_px = view_radii * radius;
  view.centre = {eye.iris[0].x, eye.iris[0].y};
  return view;
}

Reflexes find_reflexes(const EyeDetection& eye, const Crop& view, const float* rgb) {
  using Plane = Eigen::Map<const Eigen::ArrayXf>;
  Search search;
  Eigen::Map<Eigen::ArrayXf>(search.grey.data(), pixels) =
      grey_level(Plane(rgb, pixels), Plane(rgb + pixels, pixels), Plane(rgb + 2 * pixels, pixels));

  const float radius = view_px / view_radii;
  const Vec2f middle = Vec2f::Constant(0.5f * (view_px - 1));
  LidOutline lid;
  for (int k = 0; k < 20; ++k) lid[k] = view.to_crop({eye.lid[k].x, eye.lid[k].y});
  const Vec2f border = across_lids(lid, border_radii * radius);
  std::array<float, pixels> levels;
  int count = 0;
  for_each_pixel([&](const Pixel& at) {
    const Vec2f p = at.place();
    if ((p - middle).norm() > reach_radii * radius || !well_within(lid, p, border)) return;
    search.iris[at.index()] = search.left[at.index()] = true;
    levels[count++] = search.grey[at.index()];
  });
  Reflexes reflexes{};
  if (count == 0) return reflexes;
  std::nth_element(levels.begin(), levels.begin() + count / 2, levels.begin() + count);
  const float iris = levels[count / 2];

  const int halo = static_cast<int>(std::lround(halo_radii * radius));
  const float most_pixels = static_cast<float>(M_PI) * std::pow(widest_radii * radius, 2.0f);
  float brightest = 0;  // of the spots, above the iris
  for (std::size_t found = 0; found < reflexes.size();) {
    float highest = std::max(iris + least_levels, iris + rival_share * brightest);
    std::optional<Pixel> peak;
    for_each_pixel([&](const Pixel& at) {
      if (search.left[at.index()] && search.grey[at.index()] >= highest) highest = search.grey[at.index()], peak = at;
    });
    if (!peak) break;
    const float edge = 0.5f * (iris + highest);
    search.grow(*peak, edge);
    search.leave_out_spot(halo);
    if (static_cast<float>(search.spot_size) > most_pixels) continue;
    if (const auto centre = search.centre(edge)) {
      const Vec2f p = view.to_frame(centre->x(), centre->y());
      reflexes[found++] = {p.x(), p.y(), 1};
      brightest = std::max(brightest, highest - iris);
    }
  }
  return reflexes;
}

}  // namespace dmask
