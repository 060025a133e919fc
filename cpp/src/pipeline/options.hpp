// What a user may choose. Each option stands once in the table below, with its name, kind, default, range, unit and meaning:
// the command line, Python's keywords, the C interface and the documentation are made from it or tested against it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "detect/chosen_person.hpp"
#include "detect/view.hpp"
#include "fit/options.hpp"
#include "geometry/check.hpp"

namespace dmask {

// clinical: generic face and lids, the patient's lid heights, gaze and motion about the eyes. article: the patient's own
// fitted face and eyelids, as published. strict: lids as openness only. release.hpp holds what follows from it.
enum class Profile { clinical, article, strict };
enum class Keep { eyes, mouth, jaw, nose, all };     // of the face's motion, beside eyes and brows
enum class Framing { automatic, canonical, input };  // of the mask: automatic is as the profile has it
enum class Coarse { off, on };                       // of time
enum class Lamp { unknown, camera };                 // where the light is that corneas mirror: beside the lens
enum class Weights { research, open };               // the nets' licence; open ones are in models_dir/open
enum class BackendKind { automatic, cpu, tensorrt };
enum class Precision { automatic, f32, bf16, f16 };  // bf16 on the CPU, f16 with TensorRT
enum class Fixating { none, od, os, both };          // eyes known to look into the camera

template <class Enum>
inline constexpr auto choices_of = nullptr;
template <>
inline constexpr std::array<const char*, 3> choices_of<Profile>{"clinical", "article", "strict"};
template <>
inline constexpr std::array<const char*, 5> choices_of<Keep>{"eyes", "mouth", "jaw", "nose", "all"};
template <>
inline constexpr std::array<const char*, 3> choices_of<Framing>{"auto", "canonical", "input"};
template <>
inline constexpr std::array<const char*, 2> choices_of<Coarse>{"off", "on"};
template <>
inline constexpr std::array<const char*, 2> choices_of<Lamp>{"unknown", "camera"};
template <>
inline constexpr std::array<const char*, 2> choices_of<Weights>{"research", "open"};
template <>
inline constexpr std::array<const char*, 3> choices_of<BackendKind>{"auto", "cpu", "tensorrt"};
template <>
inline constexpr std::array<const char*, 4> choices_of<Precision>{"auto", "f32", "bf16", "f16"};
template <>
inline constexpr std::array<const char*, 4> choices_of<Fixating>{"none", "od", "os", "both"};
template <>
inline constexpr std::array<const char*, 4> choices_of<View>{"auto", "face", "eyes", "eye"};
template <>
inline constexpr std::array<const char*, 3> choices_of<Side>{"auto", "od", "os"};

template <>
inline constexpr std::array<const char*, 14> choices_of<Person>{
    "largest", "left", "right", "centre", "smallest", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

template <class Enum>
const char* name_of(Enum value) {
  return choices_of<Enum>.at(static_cast<std::size_t>(value));
}

// What is known of a patient beforehand.
struct PatientOptions {
  double hvid_mm = FitOptions{}.hvid_mm;
  double age_years = FitOptions{}.age_years;
  Fixating fixating = Fixating::none;
  double fixating_from_s = 0, fixating_to_s = 0;
};
PatientOptions patient_of(const FitOptions& fit);
void apply_patient(const PatientOptions& patient, FitOptions& fit);

struct PipelineOptions {
  std::string models_dir;  // where face.dmm, eyelid.dmm and the nets are
  Weights weights = Weights::research;
  Profile profile = Profile::clinical;
  Keep keep = Keep::eyes;
  Framing framing = Framing::automatic;
  Coarse coarse_time = Coarse::off;
  Lamp lamp = Lamp::unknown;
  BackendKind backend = BackendKind::automatic;
  Precision precision = Precision::automatic;
  int threads = 1;
  bool live_calibration = true;
  Person person = Person::largest;
  View view = View::automatic;
  Side eye = Side::automatic;
  FitOptions fit;  // with the patient in it: see apply_patient
};

struct WrongOption : Error {  // a value that is not allowed
  using Error::Error;
};
struct UnknownOption : Error {
  using Error::Error;
};

enum class OptionKind { choice, number, whole, flag, text };
// Who needs it: every command that has nets; those that make masks; programs alone; experiments with the fits.
enum class OptionUse { nets, mask, program, experiment };
using OptionValue = std::variant<bool, std::int64_t, double, std::string>;  // a choice goes by its name

struct Option {
  std::string name;  // the field and the keyword; the command line writes it with hyphens
  OptionKind kind = OptionKind::text;
  OptionUse use = OptionUse::nets;
  std::vector<std::string> choices;  // of a choice
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  std::string unit;  // "" for none
  std::string help;  // one line
  std::function<OptionValue(const PipelineOptions&)> get;
  std::function<void(PipelineOptions&, const OptionValue&)> put;  // of the right type, as get() gives it

  std::string expected() const;                // "5 to 150 degrees"
  void check(const OptionValue& value) const;  // throws WrongOption
};

const std::vector<Option>& option_table();
const Option& option_named(const std::string& name);  // throws UnknownOption

// Sets what is allowed: a whole number does for a number. Throws WrongOption or UnknownOption, which
// leave the options as they were.
void set_option(PipelineOptions& options, const std::string& name, const OptionValue& value);

// Every value by itself, and what has to hold between them. Throws WrongOption.
void check_options(const PipelineOptions& options);
void check_patient(const PatientOptions& patient);

}  // namespace dmask
