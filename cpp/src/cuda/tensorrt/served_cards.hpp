// Which cards a flavour of TensorRT serves, as far as that is known before an engine is opened.
#pragma once

#include <string>

namespace dmask {

// Empty where it may serve a card of this compute capability, else what it serves and how to get what serves this one.
// TensorRT's own range depends on its version: its library says it when an engine is opened.
std::string card_problem(const std::string& flavour, const std::string& card, int major, int minor);

}  // namespace dmask
