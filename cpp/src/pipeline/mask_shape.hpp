// Numbers of the posed skin that the CPU and the GPU have to agree on.
#pragma once

namespace dmask {

constexpr float skin_radius_mm = 12.25f;   // lid skin rides outside the 12 mm globe
constexpr float edge_radius_mm = 11.6f;    // the lids' inner edge inside it: no slit between lid and globe
constexpr float shield_radius_mm = 18.5f;  // over the lids of an eye that was not measured
constexpr float least_unit = 1e-3f;        // motion units below are not seen

}  // namespace dmask
