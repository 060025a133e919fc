// Time of one mask picture on one thread: render_bench FACE.dmm [PICTURES]
// The face of the model file fills the picture's height, turned a little from picture to picture.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <numbers>
#include <string>
#include <vector>

#include <Eigen/Geometry>

#include "models/container.hpp"
#include "render/scene.hpp"

namespace {

using namespace dmask;

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

void measure(const Points3f& head, const Triangles& triangles, const Points3f& albedo, int width, int height,
             int pictures) {
  const Vec3f middle(0, head.col(1).mean(), 40);
  const Eigen::DiagonalMatrix<float, 3> head_to_camera(1, -1, -1);
  MaskScene scene;
  scene.camera = Camera::from_hfov(width, height, 40);
  scene.camera.focal_px = 2.3 * height;  // 25 degrees vertically
  scene.triangles = &triangles;
  scene.albedo = &albedo;
  Points3f vertices(head.rows(), 3);
  scene.vertices = &vertices;

  Renderer renderer;
  Image out;
  std::vector<double> wall_ms, cpu_ms;   // differ when something else runs on the machine
  for (int i = -3; i < pictures; ++i) {  // three unmeasured
    const float yaw = 20.0f * std::sin(0.37f * static_cast<float>(i)) * std::numbers::pi_v<float> / 180;
    const Mat3f turn = head_to_camera * Eigen::AngleAxisf(yaw, Vec3f::UnitY()).toRotationMatrix();
    const Vec3f shift = Vec3f(0, 0, 600) - turn * middle;
    vertices = (head * turn.transpose()).rowwise() + shift.transpose();
    for (int eye = 0; eye < 2; ++eye) {
      Globe& globe = scene.globes[eye];
      globe.visible = true;
      globe.centre = turn * Vec3f(eye == OD ? -31.8f : 31.8f, 35.7f, 84.2f) + shift;
      globe.axis = turn * Vec3f(0, 0, 1);
    }
    const auto start = std::chrono::steady_clock::now();
    const std::clock_t cpu_start = std::clock();
    renderer.render(scene, RenderStyle{}, out);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (i < 0) continue;
    wall_ms.push_back(took.count());
    cpu_ms.push_back(1e3 * static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC);
  }
  std::sort(wall_ms.begin(), wall_ms.end());
  std::sort(cpu_ms.begin(), cpu_ms.end());
  const std::size_t middle_one = wall_ms.size() / 2, p95 = wall_ms.size() * 95 / 100;
  std::printf("%4d x %4d: wall median %.2f ms, p95 %.2f ms; CPU median %.2f ms, p95 %.2f ms (%d pictures)\n", width,
              height, wall_ms[middle_one], wall_ms[p95], cpu_ms[middle_one], cpu_ms[p95], pictures);
}

}  // namespace

int main(int argc, char** argv) {
  const int pictures = argc > 2 ? std::atoi(argv[2]) : 200;
  if (argc < 2 || pictures < 1) {
    std::fprintf(stderr, "usage: render_bench FACE.dmm [PICTURES]\n");
    return 2;
  }
  try {
    const Container face = Container::read(argv[1]);
    const Array& mean = face.get("mean", DType::f32, {-1, 3});
    const Array& index = face.get("triangles", DType::i32, {-1, 3});
    const Array& tone = face.get("albedo", DType::f32, {mean.shape[0], 3});
    const Points3f head = Eigen::Map<const Points3f>(mean.as<float>(), mean.shape[0], 3);
    const Triangles triangles = Eigen::Map<const Triangles>(index.as<int>(), index.shape[0], 3);
    const Points3f albedo = Eigen::Map<const Points3f>(tone.as<float>(), mean.shape[0], 3);
    std::printf("%s, one thread, %td vertices, %td triangles\n", processor().c_str(), head.rows(), triangles.rows());
    for (const auto& [width, height] : {std::pair{128, 128}, {512, 512}, {1920, 1080}, {3840, 2160}})
      measure(head, triangles, albedo, width, height, pictures);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "render_bench: %s\n", error.what());
    return 1;
  }
}
