// Structs of programs that were compiled against an older or a newer dmask.h: they tell their size, and grow at their ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "capi/refusal.hpp"

namespace dmask {

// Bytes that every dmask.h has had: a struct is as long at least.
template <class Struct>
constexpr std::size_t first_bytes = 0;
template <>
inline constexpr std::size_t first_bytes<dmask_options> = offsetof(dmask_options, profile);
template <>
inline constexpr std::size_t first_bytes<dmask_frame> = offsetof(dmask_frame, chroma);
template <>
inline constexpr std::size_t first_bytes<dmask_picture> = sizeof(dmask_picture);
template <>
inline constexpr std::size_t first_bytes<dmask_measures> = offsetof(dmask_measures, eyes);
template <>
inline constexpr std::size_t first_bytes<dmask_diagnostics> = sizeof(dmask_diagnostics);
template <>
inline constexpr std::size_t first_bytes<dmask_landmarks> = offsetof(dmask_landmarks, eyes);
template <>
inline constexpr std::size_t first_bytes<dmask_calibration> = offsetof(dmask_calibration, scale);
template <>
inline constexpr std::size_t first_bytes<dmask_timings> = offsetof(dmask_timings, fit_face);

// The last field ends where the struct does: what an older program has there is never taken for a newer field.
#define DMASK_ENDS_WITH(type, field) static_assert(offsetof(type, field) + sizeof(type::field) == sizeof(type))
DMASK_ENDS_WITH(dmask_patient, reserved);
DMASK_ENDS_WITH(dmask_options, mm_per_px);
DMASK_ENDS_WITH(dmask_frame, reserved);
DMASK_ENDS_WITH(dmask_picture, stride);
DMASK_ENDS_WITH(dmask_measures, reserved);
DMASK_ENDS_WITH(dmask_diagnostics, eyelid_residual_pct);
DMASK_ENDS_WITH(dmask_landmarks, reserved);
DMASK_ENDS_WITH(dmask_calibration, reason);
DMASK_ENDS_WITH(dmask_timings, process);
#undef DMASK_ENDS_WITH

constexpr std::size_t most_growth = 4096;  // a size beyond it is not one

[[noreturn]] inline void refuse_size(std::size_t got, std::size_t expected, const std::string& name) {
  throw Refusal(DMASK_BAD_VERSION, "got a " + name + " of " + std::to_string(got) + " bytes, expected " +
                                       std::to_string(expected) +
                                       ", as this library's dmask.h has it: set struct_size to sizeof(" + name + ")");
}

template <class Struct>
void require_size(std::size_t bytes, const char* name) {
  if (bytes < first_bytes<Struct> || bytes > sizeof(Struct) + most_growth || bytes % alignof(Struct) != 0)
    refuse_size(bytes, sizeof(Struct), name);
}

// Of a struct that lies in another one: it never grows.
template <class Struct>
void require_same_size(const Struct& given, const char* name) {
  if (given.struct_size != sizeof(Struct)) refuse_size(given.struct_size, sizeof(Struct), name);
}

template <class Struct>
void require_struct(const Struct* given, const char* name) {
  if (!given) throw Refusal(DMASK_BAD_ARGUMENT, "got a null pointer, expected a " + std::string(name));
  require_size<Struct>(given->struct_size, name);
}

// What a program hands in; `value` holds the defaults of what its struct does not have.
template <class Struct>
Struct taken(const Struct* given, const char* name, Struct value = {}) {
  require_struct(given, name);
  const std::size_t bytes = given->struct_size;
  const auto* raw = reinterpret_cast<const unsigned char*>(given);
  if (bytes > sizeof(Struct) &&
      std::any_of(raw + sizeof(Struct), raw + bytes, [](unsigned char byte) { return byte != 0; }))
    throw Refusal(DMASK_BAD_VERSION,
                  "got a " + std::string(name) + " of " + std::to_string(bytes) + " bytes with something behind the " +
                      std::to_string(sizeof(Struct)) +
                      " that this library knows, expected zeros there: use a library as new as the program's dmask.h");
  std::memcpy(&value, given, std::min(bytes, sizeof(Struct)));
  value.struct_size = sizeof(Struct);
  return value;
}

// As much as the program's struct has room for; what lies behind stays as it is.
template <class Struct>
void give(Struct* out, const Struct& value) {
  const std::uint32_t bytes = out->struct_size;
  std::memcpy(out, &value, std::min<std::size_t>(bytes, sizeof(Struct)));
  out->struct_size = bytes;
}

template <class Numbers>
void require_zeros(const Numbers& reserved, const char* name) {
  if (std::all_of(std::begin(reserved), std::end(reserved), [](double v) { return v == 0; })) return;
  throw Refusal(DMASK_BAD_VERSION,
                "got something in the reserved part of " + std::string(name) +
                    ", expected zeros: start from zeros, or use a library as new as the program's dmask.h");
}

// Whether a program of this version of dmask.h and this library understand each other.
constexpr bool same_interface(std::uint32_t version) {
  const std::uint32_t major = version / 10000, minor = version / 100 % 100;
  return major == DMASK_VERSION_MAJOR && (major > 0 || minor == DMASK_VERSION_MINOR);
}

}  // namespace dmask
