#include "detect/lines.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "detect/heatmap.hpp"
#include "detect/line_rules.hpp"
#include "geometry/check.hpp"

namespace dmask {
namespace {

using namespace line_rules;

// One value a column, without the heap.
constexpr int max_width = 128;
template <class T>
using Row = Eigen::Array<T, Eigen::Dynamic, 1, 0, max_width, 1>;

struct Columns {
  Row<float> y, probability;
};

Columns trace_columns(const float* edges, int height, int width) {
  Columns columns{Row<float>(width), Row<float>(width)};
  Row<float> best = Eigen::Map<const Eigen::ArrayXf>(edges, width);
  Row<int> at = Row<int>::Zero(width);
  for (int y = 1; y < height; ++y) {
    const float* row = edges + static_cast<std::ptrdiff_t>(y) * width;
    for (int x = 0; x < width; ++x) {
      if (row[x] > best[x]) {
        best[x] = row[x];
        at[x] = y;
      }
    }
  }
  for (int x = 0; x < width; ++x) {
    float sum = 0, moment = 0;
    for (int y = std::max(0, at[x] - half_window); y <= std::min(height - 1, at[x] + half_window); ++y) {
      const float p = sigmoid(edges[static_cast<std::ptrdiff_t>(y) * width + x]);
      sum += p * p;  // squared: the faint surroundings do not pull
      moment += p * p * y;
    }
    columns.probability[x] = sigmoid(best[x]);
    columns.y[x] = sum > 0 ? moment / sum : static_cast<float>(at[x]);
  }
  return columns;
}

// The most probable chain of columns without jumps, small gaps allowed. Columns of a gap, and those whose maximum lies
// on something else, get the height between their neighbours in the chain. Returns {first, last}, or first > last.
std::pair<int, int> follow_line(const float* edges, Columns& columns) {
  const int width = static_cast<int>(columns.y.size());
  Row<float> sum = Row<float>::Zero(width);  // probability of the best chain that ends here
  Row<int> before = Row<int>::Constant(width, -1);
  int last = -1;
  for (int x = 0; x < width; ++x) {
    if (columns.probability[x] < min_probability) continue;
    for (int back = std::max(0, x - max_gap - 1); back < x; ++back) {
      const bool joins = sum[back] > sum[x] && std::abs(columns.y[x] - columns.y[back]) <= max_step * (x - back);
      if (!joins) continue;
      sum[x] = sum[back];
      before[x] = back;
    }
    sum[x] += columns.probability[x];
    if (last < 0 || sum[x] > sum[last]) last = x;
  }
  if (last < 0) return {0, -1};
  int first = last;
  for (; before[first] >= 0; first = before[first]) {
    const int left = before[first];
    for (int x = left + 1; x < first; ++x) {
      const float t = static_cast<float>(x - left) / (first - left);
      columns.y[x] = columns.y[left] + t * (columns.y[first] - columns.y[left]);
      columns.probability[x] = sigmoid(edges[std::lround(columns.y[x]) * width + x]);
    }
  }
  return {first, last};
}

// Weighted least squares y = a x^2 + b x + c through all columns, for a line that is not seen.
void guess_parabola(Columns& columns) {
  const int width = static_cast<int>(columns.y.size());
  Eigen::Matrix3d normal = 1e-6 * Eigen::Matrix3d::Identity();
  Eigen::Vector3d right = Eigen::Vector3d::Zero();
  normal(0, 0) += 1;  // hardly bent unless the map says so
  const auto basis = [width](int x) {
    const double t = 2.0 * x / (width - 1) - 1;
    return Eigen::Vector3d(t * t, t, 1);
  };
  for (int x = 0; x < width; ++x) {
    const double weight = columns.probability[x] * columns.probability[x] + 1e-8;
    normal += weight * basis(x) * basis(x).transpose();
    right += weight * columns.y[x] * basis(x);
  }
  const Eigen::Vector3d coefficients = normal.inverse() * right;
  for (int x = 0; x < width; ++x) columns.y[x] = static_cast<float>(coefficients.dot(basis(x)));
}

// Binomial smoothing (1, 2, 1)/4, twice: sd 1 column. The ends stay where they are.
void smooth(Row<float>& y, int first, int last) {
  for (int pass = 0; pass < 2; ++pass) {
    float before = y[first];
    for (int x = first + 1; x < last; ++x) {
      const float here = y[x];
      y[x] = 0.25f * before + 0.5f * here + 0.25f * y[x + 1];
      before = here;
    }
  }
}

}  // namespace

std::array<Landmark, 20> decode_line(const float* edges, float presence, int height, int width) {
  if (width > max_width)
    throw Error("got an edge map of " + std::to_string(width) + " columns, expected at most " +
                std::to_string(max_width));
  Columns columns = trace_columns(edges, height, width);
  auto [first, last] = follow_line(edges, columns);
  float limit = 1.0f;
  if (last - first + 1 < min_extent) {
    first = width / 8;
    last = width - 1 - width / 8;
    guess_parabola(columns);
    limit = guess_confidence;
  } else {
    smooth(columns.y, first, last);
  }
  Row<float> length = Row<float>::Zero(last - first + 1);
  for (int x = first + 1; x <= last; ++x) {
    length[x - first] = length[x - first - 1] + std::hypot(1.0f, columns.y[x] - columns.y[x - 1]);
  }
  std::array<Landmark, 20> points;
  const float visible = sigmoid(presence);
  int x = first;
  for (int k = 0; k < 20; ++k) {
    const float target = length[last - first] * k / 19.0f;
    while (x < last - 1 && length[x + 1 - first] < target) ++x;
    const float t = std::clamp((target - length[x - first]) / (length[x + 1 - first] - length[x - first]), 0.0f, 1.0f);
    points[k].x = x + t;
    points[k].y = std::clamp(columns.y[x] + t * (columns.y[x + 1] - columns.y[x]), 0.0f, height - 1.0f);
    const float p = columns.probability[x] + t * (columns.probability[x + 1] - columns.probability[x]);
    points[k].confidence = visible * std::min(p, limit);
  }
  return points;
}

void decode_four_lines(const float* edges, const float* presence, int height, int width, FourLines& lines) {
  for (auto& line : lines) {
    line = decode_line(edges, *presence++, height, width);
    edges += static_cast<std::ptrdiff_t>(height) * width;
    for (Landmark& point : line) {
      point.x = (point.x + 0.5f) * cell_px - 0.5f;
      point.y = (point.y + 0.5f) * cell_px - 0.5f;
    }
  }
}

void decode_eye_lines(const float* edges, const float* presence, int height, int width, EyeLines& lines) {
  for (FourLines& eye : lines) {
    decode_four_lines(edges, presence, height, width, eye);
    edges += std::ptrdiff_t{4} * height * width;
    presence += 4;
  }
}

}  // namespace dmask
