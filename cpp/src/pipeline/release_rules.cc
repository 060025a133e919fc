#include "pipeline/release_rules.hpp"

#include <string>

namespace dmask {
namespace {

bool begins(const std::string& name, const char* with) { return name.rfind(with, 0) == 0; }

bool about_the_eyes(const std::string& unit) {
  return begins(unit, "brow") || begins(unit, "eyeSquint") || begins(unit, "cheekSquint");
}

// Of the lids: their patches move by themselves, and what these units show beside is the face's own shape.
bool of_the_lids(const std::string& unit) {
  return begins(unit, "eyeBlink") || begins(unit, "eyeLook") || begins(unit, "eyeWide");
}

bool kept(const std::string& unit, const PipelineOptions& options) {
  if (of_the_lids(unit)) return false;
  if (options.keep == Keep::all) return true;
  // Beside steps of two seconds brows would tell who it is.
  if (about_the_eyes(unit)) return options.profile != Profile::strict || options.coarse_time == Coarse::off;
  if (options.keep == Keep::mouth) return begins(unit, "mouth") || begins(unit, "cheekPuff") || begins(unit, "jaw");
  if (options.keep == Keep::jaw) return begins(unit, "jaw");
  return options.keep == Keep::nose && begins(unit, "nose");
}

}  // namespace

ReleaseRules release_rules(const Models& models, const PipelineOptions& options) {
  ReleaseRules rules;
  rules.profile = options.profile;
  rules.own_face = options.profile == Profile::article;
  rules.lids_mm = options.profile != Profile::strict;
  rules.canonical = options.framing == Framing::automatic ? !rules.own_face : options.framing == Framing::canonical;
  if (options.profile == Profile::clinical) rules.small_rest = {0, 15, 30};
  if (options.profile == Profile::strict) {
    rules.rest = {15, 15, 15};
    rules.small_rest = {30, 30, 30};
  }
  if (options.coarse_time == Coarse::on) {
    rules.time_step_s = 2;  // how often somebody blinks, and looks about, is his own
    if (options.profile == Profile::strict) {
      rules.angle_step_deg = 30;  // within 15 degrees is straight ahead
      rules.blinks = false;
    }
  }
  rules.units.setOnes(models.face.units());
  if (rules.own_face) {
    rules.stated = rules.small_stated = {0, 0};
    return rules;
  }
  for (int u = 0; u < models.face.units(); ++u)
    if (!kept(models.face.unit_names()[u], options)) rules.units[u] = 0;
  return rules;
}

}  // namespace dmask
