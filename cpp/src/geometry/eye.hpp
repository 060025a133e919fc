#pragma once

namespace dmask {

enum Eye { OD = 0, OS = 1 };  // patient's right, patient's left

}  // namespace dmask
