// Options out of the core's table: whatever stands there is a keyword and an attribute here.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cctype>
#include <cmath>

#include "path.hpp"
#include "pipeline/release.hpp"

namespace py = pybind11;

namespace dmask {
namespace {

// A Python value of whatever kind it is: whether the option takes that kind is for the table to say.
OptionValue to_value(const Option& option, py::handle given) {
  const std::string type = py::str(py::type::of(given).attr("__name__"));
  if (type == "bool" || type == "bool_") return py::bool_(py::reinterpret_borrow<py::object>(given)).cast<bool>();
  if (option.kind == OptionKind::text && (py::isinstance<py::str>(given) || py::hasattr(given, "__fspath__")))
    return path_in(given);  // the one text is a path
  if (py::isinstance<py::str>(given)) {
    // A lone surrogate stands for a byte that is no UTF-8: no choice has one, and the sentence shows it.
    return given.attr("encode")("utf-8", "backslashreplace").cast<std::string>();
  }
  if (PyIndex_Check(given.ptr())) {
    int overflow = 0;
    const long long whole =
        PyLong_AsLongLongAndOverflow(py::int_(py::reinterpret_borrow<py::object>(given)).ptr(), &overflow);
    if (overflow == 0) return std::int64_t{whole};
  }
  if (py::hasattr(given, "__float__")) return py::float_(py::reinterpret_borrow<py::object>(given)).cast<double>();
  throw WrongOption("got a " + type + " as " + option.name + ", expected " + option.expected() + ": " + option.help);
}

py::object to_python(const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return path_out(*text);
  return std::visit([](const auto& v) { return py::object(py::cast(v)); }, value);
}

const char* use_text(OptionUse use) {
  constexpr const char* texts[] = {"nets", "mask", "program", "experiment"};
  return texts[static_cast<int>(use)];
}

const char* kind_text(OptionKind kind) {
  constexpr const char* texts[] = {"choice", "number", "whole", "flag", "text"};
  return texts[static_cast<int>(kind)];
}

PipelineOptions defaults() {
  PipelineOptions options;
  options.models_dir = path_in(py::module_::import("dmask").attr("__path__")[py::int_(0)]) + "/models";
  return options;
}

py::list option_rows() {
  const PipelineOptions usual = defaults();
  py::list rows;
  for (const Option& option : option_table()) {
    py::dict row;
    row["name"] = option.name;
    row["kind"] = kind_text(option.kind);
    row["use"] = use_text(option.use);
    row["default"] = to_python(option.get(usual));
    row["choices"] = option.kind == OptionKind::choice ? py::object(py::tuple(py::cast(option.choices))) : py::none();
    const bool ranged = std::isfinite(option.low);
    row["range"] = ranged ? py::object(py::make_tuple(option.low, option.high)) : py::none();
    row["unit"] = option.unit;
    row["help"] = option.help;
    rows.append(row);
  }
  return rows;
}

py::dict to_dict(const PipelineOptions& options) {
  py::dict d;
  for (const Option& option : option_table()) d[py::str(option.name)] = to_python(option.get(options));
  return d;
}

py::dict released(const PipelineOptions& options) {
  py::dict d;
  for (const auto& [name, value] : release_options(options)) d[py::str(name)] = value ? to_python(*value) : py::none();
  return d;
}

// Of the options, what differs from the defaults.
std::string repr(const PipelineOptions& options) {
  const PipelineOptions usual = defaults();
  std::string text;
  for (const Option& option : option_table()) {
    const OptionValue value = option.get(options);
    if (value == option.get(usual)) continue;
    text += (text.empty() ? "" : ", ") + option.name + "=" + py::repr(to_python(value)).cast<std::string>();
  }
  return "Options(" + text + ")";
}

std::string described(const Option& option) {
  std::string text = option.help;
  text[0] = static_cast<char>(std::toupper(text[0]));
  return text + ": " + option.expected() + ".";
}

}  // namespace

void bind_options(py::module_& m) {
  py::class_<PipelineOptions> cls(
      m, "Options",
      "Settings of a Pipeline, by keyword: Options(profile=\"strict\", hfov_deg=30). Every one has a default.\n\n"
      "A value out of its range, NaN and an unknown choice raise Error at once, an unknown keyword raises\n"
      "TypeError, an unknown attribute AttributeError.");
  cls.def(py::init([](const py::kwargs& given) {
    PipelineOptions options = defaults();
    for (const auto& [key, value] : given) {
      const std::string name = py::str(key);
      try {
        set_option(options, name, to_value(option_named(name), value));
      } catch (const UnknownOption& error) {
        throw py::type_error(error.what());
      }
    }
    return options;
  }));
  for (const Option& option : option_table()) {  // the table lives as long as the program
    cls.def_property(
        option.name.c_str(), [&option](const PipelineOptions& o) { return to_python(option.get(o)); },
        [&option](PipelineOptions& o, py::handle value) { set_option(o, option.name, to_value(option, value)); },
        described(option).c_str());
  }
  cls.def("to_dict", &to_dict, "Every option by its name; Options(**d) makes the same again.")
      .def("released", &released,
           "The options that may stand beside results: no folder of this machine, no setting of the fits; None: "
           "withheld by the\n"
           "profile.")
      .def("__repr__", &repr)
      .def("__copy__", [](const PipelineOptions& o) { return PipelineOptions(o); })
      .def("__deepcopy__", [](const PipelineOptions& o, const py::dict&) { return PipelineOptions(o); });

  m.def("option_table", &option_rows,
        "Every option as a dict: name, kind (choice, number, whole, flag, text), use (nets: every command that has "
        "networks,\n"
        "mask: those that make masks, program: Python and C alone, experiment: settings of the fits), default, choices "
        "and range\n"
        "(None where there are none), unit, help.");
}

}  // namespace dmask
