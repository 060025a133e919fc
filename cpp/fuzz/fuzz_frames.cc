// The C ABI with frames, pictures, structs and buffers as a careless program would hand them over. The nets are stubs.
#include "capi/frame.hpp"
#include "dmask/dmask.h"
#include "pipeline/options.hpp"
#include "stub_net.hpp"
#include "tiny.hpp"

namespace {

using fuzz::Bytes;

// Memory that ends where a sound descriptor says that it ends, for ASan to watch.
class Pixels {
 public:
  Pixels(std::int64_t stride, int height, std::int64_t row_bytes, Bytes& bytes) {
    const std::int64_t whole = (height - 1) * std::abs(stride) + row_bytes;
    if (whole <= 0 || whole > (1 << 20)) return;  // not to be had: the call must refuse, or is left out
    memory_.assign(static_cast<std::size_t>(whole), bytes.next<std::uint8_t>());
    top_ = memory_.data() + (stride < 0 ? (height - 1) * -stride : 0);
  }
  std::uint8_t* top() { return top_; }

 private:
  std::vector<std::uint8_t> memory_;
  std::uint8_t* top_ = nullptr;
};

// What is allowed but too large to allocate for every case becomes what is just not allowed: no call may read it.
int side(Bytes& bytes) {
  const int px = bytes.one_in(6) ? static_cast<int>(bytes.whole()) : bytes.between(16, 72);
  return px >= 4096 && px <= 16384 ? 16385 : px;
}
bool near(std::int64_t stride) { return stride > -(1 << 20) && stride < 1 << 20; }

// A struct in memory as long as it says, with something behind what this header knows now and then, for ASan to watch.
template <class Struct>
class Claimed {
 public:
  Claimed(const Struct& full, Bytes& bytes) {
    std::uint32_t size = sizeof(Struct);
    if (bytes.one_in(16)) size = static_cast<std::uint32_t>(bytes.whole());
    else if (bytes.one_in(8)) size = static_cast<std::uint32_t>(bytes.between(0, sizeof(Struct) + 64));
    // A size that is none of a struct is refused before a byte is read.
    memory_.assign(size <= 1 << 16 ? std::max<std::size_t>(size, sizeof size) : sizeof(Struct), 0);
    std::memcpy(memory_.data(), &full, std::min(memory_.size(), sizeof(Struct)));
    std::memcpy(memory_.data(), &size, sizeof size);
    if (memory_.size() > sizeof(Struct) && bytes.one_in(2)) memory_.back() = 1;
  }
  Struct* get() { return reinterpret_cast<Struct*>(memory_.data()); }
  bool whole() const { return memory_.size() >= sizeof(Struct); }
  Struct known() const {  // with zeros where it was shorter
    Struct s{};
    std::memcpy(&s, memory_.data(), std::min(memory_.size(), sizeof(Struct)));
    return s;
  }

 private:
  std::vector<unsigned char> memory_;
};

int code(Bytes& bytes, int last) { return bytes.one_in(16) ? static_cast<int>(bytes.whole()) : bytes.between(0, last); }

std::int64_t row_bytes(int format, int width) {
  constexpr int each[] = {3, 4, 3, 1, 1, 2, 2, 1};  // by dmask_format
  return std::int64_t{width} * (format >= 0 && format < static_cast<int>(std::size(each)) ? each[format] : 3);
}

std::int64_t stride_of(Bytes& bytes, std::int64_t row) {
  const int how = bytes.between(0, 9);
  if (how == 9) {
    constexpr std::int64_t longest = 1 << 24;
    const std::int64_t odd = bytes.whole();
    return odd >= 1 << 20 ? std::max(odd, longest + 1) : odd <= -(1 << 20) ? std::min(odd, -longest - 1) : odd;
  }
  const std::int64_t stride = how < 5 ? row : row + bytes.between(-2, 40);
  return bytes.one_in(4) ? -stride : stride;
}

void process(dmask_pipeline* p, Bytes& bytes) {
  dmask_frame frame{};
  frame.format = code(bytes, DMASK_FORMAT_I420);
  frame.width = side(bytes);
  frame.height = side(bytes);
  frame.stride = stride_of(bytes, row_bytes(frame.format, frame.width));
  frame.time_s = bytes.one_in(3) ? bytes.number() : bytes.next<std::uint16_t>() / 30.0;
  frame.yuv = code(bytes, 3);
  frame.on_device = bytes.one_in(16) ? code(bytes, 1) : 0;
  frame.bits = bytes.one_in(4) ? static_cast<int>(bytes.whole()) : bytes.between(8, 16) % 16;
  frame.reserved = bytes.one_in(32) ? 1 : 0;
  const bool planar = frame.format == DMASK_FORMAT_I420;
  const bool packed = bytes.one_in(2);  // NV12 or I420 in one piece
  const bool sound_size =
      frame.width > 0 && frame.height > 0 && frame.width < 4096 && frame.height < 4096 && near(frame.stride);
  const bool behind = packed && (planar || frame.format == DMASK_FORMAT_NV12);
  const int rows = !sound_size ? 1 : behind ? frame.height + frame.height / 2 : frame.height;
  const std::int64_t row = row_bytes(frame.format, frame.width);
  const std::int64_t last_row = behind && planar ? (frame.stride + row) / 2 : row;
  Pixels pixels(sound_size ? frame.stride : 1, rows, sound_size ? last_row : 1, bytes);
  const int chroma_row = planar ? frame.width / 2 : frame.width;
  frame.chroma_stride = stride_of(bytes, chroma_row);
  const bool sound_chroma = sound_size && near(frame.chroma_stride);
  const int chroma_rows = sound_chroma ? std::max(frame.height / 2, 1) : 1;
  const bool v_behind = planar && bytes.one_in(2);  // V right behind U
  Pixels chroma(sound_chroma ? frame.chroma_stride : 1, v_behind ? 2 * chroma_rows : chroma_rows,
                sound_chroma ? chroma_row : 1, bytes);
  Pixels chroma_v(sound_chroma ? frame.chroma_stride : 1, chroma_rows, sound_chroma ? chroma_row : 1, bytes);
  frame.data = bytes.one_in(32) ? nullptr : pixels.top();
  frame.chroma = packed ? nullptr : chroma.top();
  const bool v_told = !v_behind && (!packed || bytes.one_in(16));
  frame.chroma_v = v_told ? chroma_v.top() : nullptr;
  if (!packed && frame.chroma == nullptr) return;  // that would mean packed, with less memory than it describes
  if (planar && !packed && !v_behind && frame.chroma_v == nullptr) return;  // the same of U
  Claimed<dmask_frame> given(frame, bytes);
  Claimed<dmask_measures> got(dmask_measures{}, bytes);
  fuzz::net_mood = static_cast<fuzz::NetMood>(bytes.between(0, 3));
  fuzz::net_noise = bytes.next<std::uint32_t>();
  if (bytes.one_in(3)) {  // what the core would see of it, without the core
    std::vector<std::uint8_t> holder;
    try {
      dmask::require_valid(frame);
      const dmask::ImageView view = dmask::view_of(frame, holder);
      unsigned sum = 0;
      for (int y = 0; y < view.height; ++y)
        for (int x = 0; x < view.width * view.channels; ++x) sum += view.row(y)[x];
      for (int y = 0; view.is_nv12() && y < view.height / 2; ++y)
        for (int x = 0; x < view.width; ++x) sum += view.chroma[y * view.chroma_stride + x];
      fuzz::require(sum < UINT32_MAX, "every pixel can be read");
    } catch (const dmask::Refusal& e) {
      fuzz::require_sentence(e.what());
    }
    return;
  }
  if (!bytes.one_in(8) && sound_size) return;  // the nets' crops take their time
  const bool asked = !bytes.one_in(8);
  const int status = dmask_process(p, bytes.one_in(32) ? nullptr : given.get(), asked ? got.get() : nullptr);
  if (status != DMASK_OK) return fuzz::require_sentence(dmask_last_error(p));
  if (!asked || !got.whole()) return;  // zeros where nothing was written
  const dmask_measures measures = got.known();
  const auto sound = [](double v) { return !std::isinf(v); };
  fuzz::require(!measures.face_valid || (std::isfinite(measures.head_yaw_deg) && std::isfinite(measures.head_z_mm) &&
                                         measures.head_pitch_sd_deg > 0),
                "a valid head is finite");
  for (const dmask_eye_measures& e : measures.eyes) {
    fuzz::require(!e.valid || (std::isfinite(e.yaw_deg) && std::isfinite(e.pitch_deg) && std::isfinite(e.yaw_sd_deg)),
                  "a valid gaze is finite");
    fuzz::require(sound(e.reflex_yaw_deg) && sound(e.reflex_pitch_deg) && !(e.reflex_yaw_sd_deg <= 0),
                  "a gaze by the reflex is a number or none");
    fuzz::require(sound(e.openness) && sound(e.mrd1_mm) && sound(e.pfh_mm) && !(e.pfh_sd_mm <= 0),
                  "a measure is a number or none");
  }
}

void render(dmask_pipeline* p, Bytes& bytes) {
  dmask_picture picture{};
  picture.format = bytes.one_in(8) ? code(bytes, DMASK_FORMAT_I420) : code(bytes, DMASK_FORMAT_GREY);
  picture.width = side(bytes);
  picture.height = side(bytes);
  picture.stride = stride_of(bytes, row_bytes(picture.format, picture.width));
  const bool sound_size =
      picture.width > 0 && picture.height > 0 && picture.width < 4096 && picture.height < 4096 && near(picture.stride);
  Pixels pixels(sound_size ? picture.stride : 1, sound_size ? picture.height : 1,
                sound_size ? row_bytes(picture.format, picture.width) : 1, bytes);
  picture.data = bytes.one_in(32) ? nullptr : pixels.top();
  Claimed<dmask_picture> given(picture, bytes);
  if (dmask_render(p, bytes.one_in(32) ? nullptr : given.get()) != DMASK_OK)
    fuzz::require_sentence(dmask_last_error(p));
}

template <class Struct>
void get(dmask_pipeline* p, Bytes& bytes, std::int32_t (*function)(dmask_pipeline*, Struct*)) {
  Claimed<Struct> out(Struct{}, bytes);
  if (function(p, bytes.one_in(16) ? nullptr : out.get()) != DMASK_OK) fuzz::require_sentence(dmask_last_error(p));
}

template <class Item>
void get_buffer(dmask_pipeline* p, Bytes& bytes, int sound, int each,
                std::int32_t (*function)(dmask_pipeline*, Item*, std::int32_t)) {
  const int count = bytes.one_in(2) ? sound : static_cast<int>(bytes.whole());
  std::vector<Item> buffer(static_cast<std::size_t>(std::clamp(count, 0, 10000)) * each);
  if (count > 10000) return;
  if (function(p, bytes.one_in(16) ? nullptr : buffer.data(), count) != DMASK_OK)
    fuzz::require_sentence(dmask_last_error(p));
}

dmask_patient patient_of(Bytes& bytes) {
  dmask_patient patient{};
  patient.struct_size = bytes.one_in(16) ? static_cast<std::uint32_t>(bytes.whole()) : sizeof patient;
  patient.hvid_mm = 11.71;
  if (bytes.one_in(16)) patient.reserved[bytes.between(0, 2)] = bytes.number();
  patient.fixating = code(bytes, 3);
  if (bytes.one_in(2)) patient.fixating_from_s = bytes.number();
  if (bytes.one_in(2)) patient.fixating_to_s = bytes.number();
  if (bytes.one_in(2)) patient.hvid_mm = bytes.number();
  if (bytes.one_in(2)) patient.age_years = bytes.number();
  return patient;
}

void create(Bytes& bytes) {
  dmask_options options;
  fuzz::require(dmask_default_options(nullptr, 0) != DMASK_OK, "a null pointer is refused");
  dmask_default_options(&options, sizeof options);
  const std::string models = fuzz::model_folder().path();
  options.models_dir = models.c_str();
  for (int k = bytes.between(0, 3); k > 0; --k) {
    switch (bytes.between(0, 13)) {
      case 0: options.version = static_cast<std::uint32_t>(bytes.whole()); break;
      case 1: options.profile = static_cast<int>(bytes.whole()); break;
      case 2: options.weights = static_cast<int>(bytes.whole()); break;
      case 3: options.backend = static_cast<int>(bytes.whole()); break;
      case 4: options.precision = static_cast<int>(bytes.whole()); break;
      case 5: options.threads = static_cast<int>(bytes.whole()); break;
      case 6: options.eyebrows = static_cast<int>(bytes.whole()); break;
      case 7: options.hfov_deg = bytes.number(); break;
      case 8: options.models_dir = bytes.one_in(2) ? "" : "/nowhere"; break;
      case 9: options.lamp = static_cast<int>(bytes.whole()); break;
      case 10: options.view = code(bytes, DMASK_VIEW_EYE); break;
      case 11: options.eye = code(bytes, DMASK_LATERALITY_OS); break;
      case 12: options.mm_per_px = bytes.number(); break;
      default: options.patient = patient_of(bytes);
    }
  }
  char error[DMASK_TEXT_BYTES] = "";
  dmask_pipeline* made = reinterpret_cast<dmask_pipeline*>(1);
  Claimed<dmask_options> given(options, bytes);
  const int status = dmask_create(bytes.one_in(16) ? nullptr : given.get(), bytes.one_in(16) ? nullptr : &made, error,
                                  bytes.one_in(8) ? bytes.between(0, 20) : sizeof error);
  if (status == DMASK_OK) {
    // These throw what nobody catches, should the C interface let more in than the table of options has.
    const std::size_t told = given.get()->struct_size;
    if (told > offsetof(dmask_options, hfov_deg)) dmask::option_named("hfov_deg").check(options.hfov_deg);
    if (told > offsetof(dmask_options, patient)) dmask::option_named("hvid_mm").check(options.patient.hvid_mm);
    if (told > offsetof(dmask_options, threads)) dmask::option_named("threads").check(std::int64_t{options.threads});
    process(made, bytes);
    render(made, bytes);
    dmask_destroy(made);
  }
}

}  // namespace

extern "C" const char* dmask_system_info(void) { return "the core with stubs for its nets"; }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes bytes(data, size);
  static dmask_pipeline* p = [] {
    dmask_options options;
    dmask_default_options(&options, sizeof options);
    const std::string models = fuzz::model_folder().path();
    options.models_dir = models.c_str();
    options.lamp = DMASK_LAMP_CAMERA;  // reflexes are looked for, too
    dmask_pipeline* made = nullptr;
    char error[DMASK_TEXT_BYTES];
    if (dmask_create(&options, &made, error, sizeof error) != DMASK_OK) std::fprintf(stderr, "%s\n", error);
    fuzz::require(made != nullptr, "the tiny models make a handle");
    return made;
  }();
  for (int k = bytes.between(1, 3); k > 0; --k) {
    switch (bytes.between(0, 23)) {
      default: process(p, bytes); break;
      case 1:
      case 2:
      case 3: render(p, bytes); break;
      case 4: get(p, bytes, dmask_get_landmarks); break;
      case 5: get(p, bytes, dmask_get_timings); break;
      case 6: get(p, bytes, dmask_get_calibration); break;
      case 7: get_buffer(p, bytes, dmask_parameter_count(p), 1, dmask_get_parameters); break;
      case 8: get_buffer(p, bytes, dmask_vertex_count(p), 3, dmask_get_vertices); break;
      case 9: get_buffer(p, bytes, dmask_triangle_count(p), 3, dmask_get_triangles); break;
      case 10: dmask_parameter_name(p, static_cast<int>(bytes.whole())); break;
      case 11: {
        Claimed<dmask_patient> patient(patient_of(bytes), bytes);
        if (bytes.one_in(4)) dmask_reset(p, bytes.one_in(2) ? nullptr : patient.get());
        break;
      }
      case 12:
        if (bytes.one_in(64)) create(bytes);
        break;
      case 13:
        if (bytes.one_in(64)) dmask_calibrate(p);
        break;
      case 14:
        dmask_status_text(static_cast<int>(bytes.whole()));
        dmask_reason_text(static_cast<int>(bytes.whole()));
        break;
    }
  }
  return 0;
}
