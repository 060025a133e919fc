#include "pipeline/options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <type_traits>

#include "geometry/types.hpp"

namespace dmask {
namespace {

template <class Number>
std::string text_of(Number value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.10g", static_cast<double>(value));
  return text;
}

std::string text_of(const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  return text_of(std::get<double>(value));
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return text;
}

// ---- A row of the table: what kind of option it is follows from the type of its field.

template <class Value>
constexpr OptionKind kind_of() {
  if (std::is_enum_v<Value>) return OptionKind::choice;
  if (std::is_same_v<Value, double>) return OptionKind::number;
  if (std::is_same_v<Value, int>) return OptionKind::whole;
  return std::is_same_v<Value, bool> ? OptionKind::flag : OptionKind::text;
}

template <class Value>
OptionValue shown(const Value& value) {
  if constexpr (std::is_enum_v<Value>) return std::string(name_of(value));
  else if constexpr (std::is_same_v<Value, int>) return std::int64_t{value};
  else return value;
}

template <class Value>
void take(Value& field, const OptionValue& value) {
  if constexpr (std::is_enum_v<Value>) {
    const auto& names = choices_of<Value>;
    field = static_cast<Value>(std::find(names.begin(), names.end(), std::get<std::string>(value)) - names.begin());
  } else if constexpr (std::is_same_v<Value, int>) {
    field = static_cast<int>(std::get<std::int64_t>(value));
  } else {
    field = std::get<Value>(value);
  }
}

struct Range {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  const char* unit = "";
};

template <class Value>
Option described(const char* name, OptionUse use, const Range& range, const char* help) {
  Option o;
  o.name = name;
  o.kind = kind_of<Value>();
  o.use = use;
  if constexpr (std::is_enum_v<Value>) o.choices.assign(choices_of<Value>.begin(), choices_of<Value>.end());
  o.low = range.low;
  o.high = range.high;
  o.unit = range.unit;
  o.help = help;
  return o;
}

// `at` finds the field in the options.
template <class At>
Option option(const char* name, OptionUse use, At at, const Range& range, const char* help) {
  using Value = std::remove_reference_t<std::invoke_result_t<At, PipelineOptions&>>;
  Option o = described<Value>(name, use, range, help);
  o.get = [at](const PipelineOptions& options) { return shown(at(const_cast<PipelineOptions&>(options))); };
  o.put = [at](PipelineOptions& options, const OptionValue& value) { take(at(options), value); };
  return o;
}

// Of the patient: what follows from it in the fits follows in apply_patient() alone.
template <class Value>
Option option(const char* name, OptionUse use, Value PatientOptions::* field, const Range& range, const char* help) {
  Option o = described<Value>(name, use, range, help);
  o.get = [field](const PipelineOptions& options) { return shown(patient_of(options.fit).*field); };
  o.put = [field](PipelineOptions& options, const OptionValue& value) {
    PatientOptions patient = patient_of(options.fit);
    take(patient.*field, value);
    apply_patient(patient, options.fit);
  };
  return o;
}

#define DMASK_FIELD(field) [](PipelineOptions& o) -> auto& { return o.field; }

std::vector<Option> make_table() {
  constexpr OptionUse nets = OptionUse::nets, mask = OptionUse::mask, program = OptionUse::program,
                      experiment = OptionUse::experiment;
  constexpr Range of_interocular{0.01, 100, "% of the interocular distance"}, of_time{.unit = "seconds"};
  return {
      option("profile", mask, DMASK_FIELD(profile), {}, "what may leave the machine"),
      option("keep", mask, DMASK_FIELD(keep), {},
             "what of the face moves in the mask beside eyes and brows: more of it tells more of who it is"),
      option(
          "framing", mask, DMASK_FIELD(framing), {},
          "of the mask: canonical puts the eyes in one place at one size, input where they are in the picture; auto is "
          "input for the profile article, else canonical"),
      option(
          "coarse_time", mask, DMASK_FIELD(coarse_time), {},
          "what leaves is held over steps of two seconds, and in the profile strict angles and lids are coarse, too, "
          "so that recordings of one person are hard to link"),
      // A flat picture of more than 150 degrees is stretched fourteenfold at its sides; below 5 the pose has no depth left.
      option("hfov_deg", mask, DMASK_FIELD(fit.hfov_deg), {5, 150, "degrees"}, "the camera's horizontal field of view"),
      option(
          "lamp", mask, DMASK_FIELD(lamp), {},
          "where the light is that the corneas mirror: camera, beside the lens, measures each eye by its reflex, too"),
      // From the smallest eyes with microcornea to the largest with megalocornea.
      option("hvid_mm", mask, &PatientOptions::hvid_mm, {8, 16, "mm"},
             "the patient's horizontal visible iris diameter; the default, the adult mean, stands for not measured"),
      // Within days of birth all is as at birth.
      option("age_years", mask, &PatientOptions::age_years, {0.01, 120, "years"},
             "the patient's age: millimetres and the eyeballs' size rest on it; grown up from 15 on"),
      // From a microscope's finest to a face far away.
      option("mm_per_px", mask, DMASK_FIELD(fit.mm_per_px), {0, 2, "mm"},
             "what a pixel of a close-up is in the plane of the eye; 0 stands for not known, and then the iris tells"),
      option("fixating", mask, &PatientOptions::fixating, {}, "the eye known to look into the camera for a while"),
      option("fixating_from_s", mask, &PatientOptions::fixating_from_s, of_time,
             "when the fixation begins, on the clock of the frames"),
      option("fixating_to_s", mask, &PatientOptions::fixating_to_s, of_time,
             "when the fixation ends, on the clock of the frames"),
      option("eyebrows", mask, DMASK_FIELD(fit.eyebrows), {}, "the lids follow the brows"),
      option("backend", nets, DMASK_FIELD(backend), {}, "what the networks run on"),
      option("weights", nets, DMASK_FIELD(weights), {},
             "of the networks: research (non-commercial data) or open (trained on own renders alone)"),
      option("models_dir", nets, DMASK_FIELD(models_dir), {},
             "a copy of the package's models folder with nets of your own in it"),
      option("precision", nets, DMASK_FIELD(precision), {},
             "of the networks: auto is what the device does fastest; bf16 is of the CPU, f16 of TensorRT"),
      option("person", nets, DMASK_FIELD(person), {},
             "who the patient is, where there are several people in the first second: by size or place in the picture, "
             "or 1 to 9 by size, the largest first"),
      option(
          "view", nets, DMASK_FIELD(view), {},
          "what of the patient is in the picture: a face; one eye or two without a face; exactly one eye; auto looks "
          "for a face first, then for eyes"),
      option("eye", nets, DMASK_FIELD(eye), {},
             "which of the patient's eyes a close-up of one eye shows; auto goes by its canthi"),
      option("threads", nets, DMASK_FIELD(threads), {0, 256}, "CPU threads of the networks; 0 takes all"),
      option("live_calibration", program, DMASK_FIELD(live_calibration), {},
             "process() calibrates by itself at the 1st, 15th, 60th and 150th frame with a face"),
      option("landmark_sigma_pct", experiment, DMASK_FIELD(fit.landmark_sigma_pct), of_interocular,
             "standard deviation of the face's landmarks"),
      option("lid_sigma_pct", experiment, DMASK_FIELD(fit.lid_sigma_pct), of_interocular,
             "standard deviation of the lids' landmarks"),
      option("iris_sigma_pct", experiment, DMASK_FIELD(fit.iris_sigma_pct), of_interocular,
             "standard deviation of the limbus points"),
      option("limbus_information", experiment, DMASK_FIELD(fit.limbus_information), {0.1, 18, "points"},
             "independent points that the 18 of the limbus amount to"),
      option("window_information", experiment, DMASK_FIELD(fit.window_information), {0.1, 1000, "frames"},
             "independent frames that the calibration's window amounts to"),
      option("smoothing_scale", experiment, DMASK_FIELD(fit.smoothing_scale), {1e-6, 1e9},
             "of all standard deviations between frames; a large one smooths nothing"),
  };
}

#undef DMASK_FIELD

}  // namespace

PatientOptions patient_of(const FitOptions& fit) {
  const bool* eye = fit.fixation.eye;
  return {fit.hvid_mm, fit.age_years, static_cast<Fixating>((eye[OD] ? 1 : 0) + (eye[OS] ? 2 : 0)), fit.fixation.from_s,
          fit.fixation.to_s};
}

void apply_patient(const PatientOptions& patient, FitOptions& fit) {
  fit.hvid_mm = patient.hvid_mm;
  fit.age_years = patient.age_years;
  fit.fixation.eye[OD] = patient.fixating == Fixating::od || patient.fixating == Fixating::both;
  fit.fixation.eye[OS] = patient.fixating == Fixating::os || patient.fixating == Fixating::both;
  fit.fixation.from_s = patient.fixating_from_s;
  fit.fixation.to_s = patient.fixating_to_s;
}

std::string Option::expected() const {
  switch (kind) {
    case OptionKind::choice: return listed(choices);
    case OptionKind::flag: return "true or false";
    case OptionKind::text: return "a text";
    default: break;
  }
  std::string text = kind == OptionKind::whole ? "a whole number" : "a number";
  if (std::isfinite(low))
    return text + " from " + text_of(low) + " to " + text_of(high) + (unit.empty() ? "" : " " + unit);
  return unit.empty() ? text : text + " of " + unit;
}

void Option::check(const OptionValue& given) const {
  switch (kind) {
    case OptionKind::choice:
      if (const auto* text = std::get_if<std::string>(&given);
          text && std::count(choices.begin(), choices.end(), *text))
        return;
      break;
    case OptionKind::number:
      // NaN is in no range, and what has no range has to be finite.
      if (const auto* n = std::get_if<double>(&given); n && std::isfinite(*n) && *n >= low && *n <= high) return;
      break;
    case OptionKind::whole:
      if (const auto* n = std::get_if<std::int64_t>(&given); n && *n >= low && *n <= high) return;
      break;
    case OptionKind::flag:
      if (std::holds_alternative<bool>(given)) return;
      break;
    case OptionKind::text:
      if (std::holds_alternative<std::string>(given)) return;
      break;
  }
  throw WrongOption("got " + name + " " + text_of(given) + ", expected " + expected() + ": " + help);
}

const std::vector<Option>& option_table() {
  static const std::vector<Option> table = make_table();
  return table;
}

const Option& option_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Option& option : option_table()) {
    if (option.name == name) return option;
    names.push_back(option.name);
  }
  throw UnknownOption("got the option '" + name + "', expected " + listed(names));
}

void set_option(PipelineOptions& options, const std::string& name, const OptionValue& given) {
  const Option& option = option_named(name);
  const auto* whole = std::get_if<std::int64_t>(&given);
  const OptionValue value =
      whole && option.kind == OptionKind::number ? OptionValue(static_cast<double>(*whole)) : given;
  option.check(value);
  option.put(options, value);
}

void check_options(const PipelineOptions& options) {
  for (const Option& option : option_table()) option.check(option.get(options));
  check_patient(patient_of(options.fit));
}

void check_patient(const PatientOptions& patient) {
  PipelineOptions options;
  apply_patient(patient, options.fit);
  for (const char* name : {"hvid_mm", "age_years", "fixating", "fixating_from_s", "fixating_to_s"}) {
    const Option& option = option_named(name);
    option.check(option.get(options));
  }
  if (patient.fixating != Fixating::none && patient.fixating_from_s > patient.fixating_to_s)
    throw WrongOption("got a fixation from " + text_of(patient.fixating_from_s) + " to " +
                      text_of(patient.fixating_to_s) + " s, expected an end that is not before its beginning");
}

}  // namespace dmask
