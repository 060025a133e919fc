#include "pipeline/released_motion.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/eye.hpp"
#include "pipeline/distance.hpp"

namespace dmask {
namespace {

constexpr std::array gaze_parts{&Gaze::yaw, &Gaze::pitch};

Mat3 head_against_rest(const HeadAngles& rest, double step_deg, const Mat3& rotation) {
  HeadAngles a = head_angles(rotation);
  for (double HeadAngles::* angle : head_parts) a.*angle += to_step(rest.*angle, step_deg) - rest.*angle;
  return head_rotation(a);
}

// What the optical axes of straight eyes that look into the camera are apart, OS - OD: twice kappa, less the angle at which the
// lines of sight meet there.
double usually_apart(double distance_mm) {
  return 2 * adult_kappa_deg * deg - 2 * std::atan(0.5 * adult_pupils_mm / distance_mm);
}

// Of everybody who sits so near, as the distance itself is not let out; of whoever is too small, not even that is.
double usually_apart_there(const Rest& rest) {
  return usually_apart(usual_mm(rest.small ? Distance::intermediate : distance_at(rest.distance_mm)));
}

// The eyes' common direction at rest comes in steps, and so does what they deviate from straight eyes. One eye alone tells no
// deviation.
void gaze_against_rest(const Rest& rest, const ReleaseRules::Steps& steps, std::array<Gaze, 2>& gaze) {
  for (double Gaze::* angle : gaze_parts) {
    const double od = rest.eyes[OD].gaze.*angle, os = rest.eyes[OS].gaze.*angle;
    const bool both = std::isfinite(od) && std::isfinite(os), sideways = angle == &Gaze::yaw;
    const double apart = sideways && rest.distance_mm > 0 ? usually_apart(rest.distance_mm) : 0;
    const double apart_there = sideways && rest.distance_mm > 0 ? usually_apart_there(rest) : 0;
    const double middle = both ? 0.5 * (od + os) : std::isfinite(od) ? od + 0.5 * apart : os - 0.5 * apart;
    if (!std::isfinite(middle)) continue;
    const double moved_middle = to_step(middle, steps.gaze_deg * deg) - middle;
    const double deviation = both ? os - od : apart;
    const double moved_apart = apart_there + to_step(deviation - apart, steps.deviation_deg * deg) - deviation;
    gaze[OD].*angle += moved_middle - 0.5 * moved_apart;
    gaze[OS].*angle += moved_middle + 0.5 * moved_apart;
  }
}

Mat3 head_in_steps(double step_deg, const Mat3& rotation) {
  HeadAngles a = head_angles(rotation);
  for (double HeadAngles::* angle : head_parts) a.*angle = to_step(a.*angle, step_deg);
  return head_rotation(a);
}

// Both eyes' common direction, and what they deviate from each other: in steps of its own an eye would tell its angle kappa.
void gaze_in_steps(double step, bool both, std::array<Gaze, 2>& gaze) {
  for (double Gaze::* angle : gaze_parts) {
    double &od = gaze[OD].*angle, &os = gaze[OS].*angle;
    const double middle = to_step(0.5 * (od + os), step), half_apart = 0.5 * to_step(os - od, step);
    od = both ? middle - half_apart : to_step(od, step);
    os = both ? middle + half_apart : to_step(os, step);
  }
}

// Open lids are narrow, usual or wide at rest, and move in proportion: nine in ten people are usual, and any finer step tells
// them apart. Of whoever is too small in the picture even that is noise, and his own.
double openness_against_rest(double rest, bool small, bool in_levels, double openness) {
  constexpr double most = 0.8;
  constexpr std::size_t usual = 1;
  if (!(openness > 0)) return openness;
  double share = rest > 0 ? openness / rest : 1;
  if (in_levels) share = share < 0.25 ? 0 : share < 0.75 ? 0.5 : 1;
  return std::min(share * openness_classes[small ? usual : openness_class(rest)], most);
}

}  // namespace

std::size_t openness_class(double rest) {
  constexpr double narrow_below = 0.15, wide_above = 0.50;
  return rest < narrow_below ? 0 : rest > wide_above ? 2 : 1;
}

FrameFit released_motion(const Rest& rest, const ReleaseRules& rules, const ReleaseRules::Steps& steps,
                         const FrameFit& fit) {
  FrameFit moved = fit;
  if (rules.own_face || fit.face_reason != Reason::none) return moved;
  moved.pose.units = (fit.pose.units - rest.units).cwiseProduct(rules.units.cast<double>());
  if (!(steps.gaze_deg > 0)) return moved;
  const bool coarse = rules.angle_step_deg > 0;
  std::array<Gaze, 2> gaze{fit.eyes[OD].gaze, fit.eyes[OS].gaze};
  if (coarse) {
    moved.pose.rotation = head_in_steps(rules.angle_step_deg, fit.pose.rotation);
    gaze_in_steps(rules.angle_step_deg * deg, fit.eyes[OD].gaze_found && fit.eyes[OS].gaze_found, gaze);
  } else {
    if (steps.head_deg > 0)
      moved.pose.rotation = std::isfinite(rest.head.yaw_deg)
                                ? head_against_rest(rest.head, steps.head_deg, fit.pose.rotation)
                                : head_in_steps(steps.head_deg, fit.pose.rotation);
    gaze_against_rest(rest, steps, gaze);
  }
  // As it is, a standard deviation would tell how many pixels an eye has.
  const auto stepped = [&](double& sd, double step_deg, double unit) {
    sd = up_to_step(sd, 0.5 * (coarse ? rules.angle_step_deg : step_deg) * unit);
  };
  for (double HeadAngles::* angle : head_parts) stepped(moved.head_sd.*angle, steps.head_deg, 1);
  for (double Gaze::* angle : gaze_parts) stepped(moved.deviation_sd.*angle, steps.deviation_deg, deg);
  for (int eye = 0; eye < 2; ++eye) {
    EyeFit& e = moved.eyes[eye];
    e.gaze = gaze[eye];
    // An eye whose rest is not known would tell its angles as they are.
    if (!coarse && !std::isfinite(rest.eyes[eye].gaze.yaw)) {
      e.gaze_found = false;
      if (e.reason == Reason::none) e.reason = Reason::lost;
    }
    e.openness = openness_against_rest(rest.eyes[eye].openness, rest.small, coarse, e.openness);
    for (double EyeFit::* sd : {&EyeFit::yaw_sd, &EyeFit::pitch_sd}) stepped(e.*sd, steps.gaze_deg, deg);
  }
  return moved;
}

}  // namespace dmask
