#pragma once

namespace dmask {

// Throws Error where the CPU lacks the instructions this build was compiled for.
void require_cpu();

}  // namespace dmask
