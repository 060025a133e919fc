// Every kernel's launch, and its twin on the CPU with the same arguments: pointers are device memory for the one and host
// memory for the other. Launches return at once; results are there when the stream is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "detect/crop_placement.hpp"
#include "geometry/image.hpp"
#include "render/globe_view.hpp"

struct CUstream_st;  // the runtime's own name: its header is needed by the kernels alone

namespace dmask::cuda {

using StreamHandle = CUstream_st*;

// --- heatmaps.cu: soft-argmax of heat maps, as detect/heatmap.hpp ----------------------------------------------------

struct Heatmaps {
  const float* logits;      // maps x height x width
  const float* visibility;  // maps
  int maps, height, width;
};
struct DecodedPoint {
  float x, y;        // px of the crop, 4 a cell
  float confidence;  // 0..1
  float spread;      // standard deviation of the map, cells
};
void decode_heatmaps(const Heatmaps& maps, DecodedPoint* points, StreamHandle stream);
void decode_heatmaps_twin(const Heatmaps& maps, DecodedPoint* points);

// --- crops.cu: crops of a frame as planes for the nets, as detect/crop.hpp -------------------------------------------

// The frame's description and the placements are read when the kernel runs, from the same memory as the pixels: a captured
// graph sees the next frame's.
struct CropBatch {
  const ImageView* frame;      // one
  const CropPlacement* crops;  // count
  int count, width, height;    // crops, px of each
  PlaneFormat format;
};
// planes: count x 3 x height x width
void sample_crops(const CropBatch& batch, float* planes, StreamHandle stream);
void sample_crops_twin(const CropBatch& batch, float* planes);

// --- lines.cu: the eyes' lines from edge maps, as detect/lines.hpp ---------------------------------------------------

struct EdgeMaps {
  const float* edges;        // lines x height x width logits
  const float* presence;     // lines, logits
  int lines, height, width;  // width: at most 128
};
// points: lines x 20, in px of the crop; their spread is 0
void decode_lines(const EdgeMaps& maps, DecodedPoint* points, StreamHandle stream);
void decode_lines_twin(const EdgeMaps& maps, DecodedPoint* points);

// --- sharpness.cu: variance of a crop's Laplacian, as detect/sharpness.hpp -------------------------------------------

struct CropPlanes {
  const float* rgb;  // 3 x height x width, 0..1
  int width, height;
};
void laplacian_variance(const CropPlanes& crop, float* variance, StreamHandle stream);
void laplacian_variance_twin(const CropPlanes& crop, float* variance);

// --- thumbnail.cu: a frame at 32 x 32, as detect/thumbnail.hpp -------------------------------------------------------

void make_thumbnail(const ImageView* frame, float* thumbnail, StreamHandle stream);
void make_thumbnail_twin(const ImageView* frame, float* thumbnail);

// --- subject.cu: a subject's own blendshapes, as models/face_model.hpp -----------------------------------------------

struct FaceBasis {  // the model as it is stored: f32 = step x i16
  const float* mean;                                      // 3V
  const std::int16_t *identity, *units, *interaction;     // K x 3V, M x 3V, P x 3V
  const float *identity_step, *unit_step, *interaction_step;
  const float* interaction_coef;                          // K x M x P
  int values;                                             // 3V
  int identities, unit_count, interactions;               // K, M, P
};
struct ContractedFaces {
  float* weights;  // subjects x P x M, scratch
  float* neutral;  // subjects x 3V, mm
  float* units;    // subjects x M x 3V, mm
};
// identity: subjects x identity_modes, which may be fewer than K.
void contract_faces(const FaceBasis& basis, const float* identity, int identity_modes, int subjects,
                    const ContractedFaces& faces, StreamHandle stream);

// --- fit: many fits at once, each the whole damped loop of fit/levenberg.hpp in a block or a warp, as fit/ -----------

// What the kernels' shared memory is laid out for.
inline constexpr int max_fit_units = 53, max_fit_candidates = 24, max_fit_motions = 19, max_eyelid_rows = 160;

struct FitSteps {  // LevenbergOptions
  int max_iterations;
  float damping, step_tolerance, gain_tolerance, robust_scale;
};
struct FitPose {
  double rotation[9];     // head to camera, row by row
  double translation[3];  // mm
};
enum FitStatus : int { fit_lost = 0, fit_afresh = 1, fit_from_previous = 2 };
struct FitOutcome {
  int status;  // FitStatus; not lost: a result is there
  int iterations, converged;
  float cost, residual_px;
};
// A linearised problem as the damped loop sees it: robust weights applied, priors added. Any of the pointers may be null.
struct Linearised {
  int* rows;         // problems x points: the model rows compared
  float* residuals;  // problems x points x 2
  float* jacobian;   // problems x points x 2 x unknowns
  float* hessian;    // problems x unknowns x unknowns
  float* gradient;   // problems x unknowns
  double* cost;      // problems
};

// Pixels are counted from the principal point: a float holds them to 3e-5 px then.
struct FaceSubjects {
  const float* neutral;     // subjects x 3R, mm
  const float* units;       // subjects x M x 3R, mm
  const float* focal_px;    // subjects
  const float* unit_sigma;  // M
  int rows, candidates, unit_count;  // R = 68 + 17 x candidates, M <= max_fit_units
};
struct FaceSmooth {  // Eq. (17); rotation_sigma 0: no previous frame
  FitPose previous;
  float rotation_sigma, across_sigma_mm, depth_sigma_mm, unit_sigma;
};
struct FaceFits {
  FaceSubjects subjects;
  const int* subject;             // problems; -1: nothing to fit
  const float* points;            // problems x 68 x 2, px
  const float* root_information;  // problems x 68 x 3: xx, xy, yy, 1/px
  const float* interocular_px;    // problems
  const FaceSmooth* smoothing;    // problems; null: afresh from `start` where no earlier launch succeeded
  const float* previous_units;    // problems x M
  const FitPose* start;           // problems
  float jump, gate;               // mean residuals, in interocular distances: a start too far off, a fit that is lost
  FitSteps steps;
  int problems;
};
struct FaceResults {
  FitPose* pose;        // problems
  float* units;         // problems x M
  FitOutcome* outcome;  // problems
};
void fit_faces(const FaceFits& fits, const FaceResults& results, StreamHandle stream);
void fit_faces_twin(const FaceFits& fits, const FaceResults& results);
// At the poses and units of `at`; unknowns: 6 + M, points: 68.
void linearise_faces(const FaceFits& fits, const FaceResults& at, const Linearised& out, StreamHandle stream);
void linearise_faces_twin(const FaceFits& fits, const FaceResults& at, const Linearised& out);

// Two eyes a frame: eye e of frame f is problem 2f + e.
struct EyelidSubjects {
  const float* patch;     // subjects x 2 x 3R, head frame, mm
  const float* motion;    // subjects x 2 x Km x 3R
  const float* focal_px;  // subjects
  int rows, crease, motions;  // R <= max_eyelid_rows: 61 samples a margin, crease, bulge; Km <= max_fit_motions
};
struct EyelidSeen {
  int seen;             // 0: covered, nothing to fit
  float dense_weight;   // of a dense point, 1/px
  float line_weight;    // of a line's point of confidence 1, 1/px
  float smooth_sigma;   // Eq. (18); 0: none
};
struct EyelidFits {
  EyelidSubjects subjects;
  const int* subject;            // frames
  const FitPose* pose;           // frames
  const FitOutcome* face;        // frames: a previous state counts where the face was fitted from its own
  const EyelidSeen* seen;        // problems
  const float* dense;            // problems x 100 x 2, px
  const float* lines;            // problems x (crease, bulge) x 20 x (x, y, confidence)
  const float* previous_motion;  // problems x Km
  FitSteps steps;
  int frames;
};
struct EyelidResults {
  float* motion;        // problems x Km
  FitOutcome* outcome;  // problems
};
void fit_eyelids(const EyelidFits& fits, const EyelidResults& results, StreamHandle stream);
void fit_eyelids_twin(const EyelidFits& fits, const EyelidResults& results);
// At the motions of `at`; unknowns: Km, points: 100 + R - 122.
void linearise_eyelids(const EyelidFits& fits, const EyelidResults& at, const Linearised& out, StreamHandle stream);
void linearise_eyelids_twin(const EyelidFits& fits, const EyelidResults& at, const Linearised& out);

struct EyeballSubject {
  float centre[2][3];  // OD, OS, head frame, mm
  float radius_mm, iris_radius_mm, focal_px;
};
struct EyeballSeen {
  int seen;             // 0: covered, nothing to fit
  int start_at_iris;    // 1: the detected iris centre is the start, 0: the previous gaze or straight ahead
  float smooth_sigma;   // Eq. (19), rad; 0: none
};
struct GazeAngles {
  float yaw, pitch;  // rad
};
struct EyeballFits {
  const EyeballSubject* subjects;
  const int* subject;              // frames
  const FitPose* pose;             // frames
  const FitOutcome* face;          // frames
  const EyeballSeen* seen;         // problems
  const float* points;             // problems x 19 x 2, px
  const float* root_information;   // problems x 19, 1/px
  const GazeAngles* previous;      // problems
  float gaze_prior_sigma;          // rad
  FitSteps steps;
  int frames;
};
struct EyeballResults {
  GazeAngles* gaze;     // problems
  float* information;   // problems x 3: JtWJ of the last linearisation without priors, yaw yaw, yaw pitch, pitch pitch
  FitOutcome* outcome;  // problems
};
void fit_eyeballs(const EyeballFits& fits, const EyeballResults& results, StreamHandle stream);
void fit_eyeballs_twin(const EyeballFits& fits, const EyeballResults& results);

// --- mask: posing, normals, shading and drawing, as pipeline/mask.hpp and render/ ------------------------------------

// What changes from frame to frame besides the weights.
struct MaskView {
  float rotation[9], translation[3];  // head to camera, row by row; mm
  float focal_px, cx, cy;
  GlobeView globes[2];                // OD, OS
};

// pose.cu: vertices in the camera frame and in the picture.
struct PatchArrays {
  const float* base;            // patch vertices x 3
  const float* motion;          // motions x patch vertices x 3
  const float* brow;            // brow units x patch vertices x 3
  const float* blend;           // patch vertices; 1 patch .. 0 face
  const std::uint8_t* on_globe;    // patch vertices
  const std::uint8_t* inner_edge;  // patch vertices
  int vertices;
  float cosine, sine;           // of the patch's roll
  float offset[3], centre[3];   // of the patch from its globe, and of that in the head, mm
};
struct PoseArguments {
  int vertices, face_vertices, units, motions, brow_units;
  const float* neutral;    // face vertices x 3
  const float* unit;       // units x face vertices x 3
  const int* brow_unit;    // which units they are
  const int* patch_vertex; // vertices: 2 x vertex of the patch + eye, or -1
  PatchArrays patches[2];
  const MaskView* view;
  const float* weights;    // units, then motions of OD, then of OS
};
struct alignas(16) Position {
  float x, y, z;   // mm
  float finite;    // 1, or 0 with zeros before
};
void pose_mask(const PoseArguments& mask, Position* position, raster::ScreenVertex* screen, StreamHandle stream);
void pose_mask_twin(const PoseArguments& mask, Position* position, raster::ScreenVertex* screen);

// skin.cu: vertex normals, surroundings and colours.
struct SkinArguments {
  int vertices;
  const int* triangles;      // triangles x 3
  const int* first;          // vertices + 1: where in `around` a vertex's triangles begin
  const int* around;         // in ascending order
  const float* albedo;       // vertices x 3 BGR 0..1, encoded
  const Position* position;
};
struct alignas(16) Colour {
  float b, g, r, unused;     // encoded 0..255, rounding included
};
void shade_skin(const SkinArguments& skin, Colour* colour, StreamHandle stream);
void shade_skin_twin(const SkinArguments& skin, Colour* colour);

// triangles.cu: what drawing a triangle takes.
struct alignas(16) ScreenTriangle {
  raster::Edge edge[3];
  float inv_z[3];      // at vertex 0 and its change towards vertices 1 and 2; likewise
  float colour[3][3];  // B, G, R
};
struct alignas(8) TriangleBox {
  std::int16_t x0, y0, x1, y1;  // pixels it may touch, x1 and y1 the first beyond; empty: not drawn
};
struct TriangleArguments {
  int triangles, width, height;
  const int* vertex;                    // triangles x 3
  const raster::ScreenVertex* screen;
  const Colour* colour;
};
struct TriangleArrays {
  ScreenTriangle* triangle;
  TriangleBox* box;
  std::uint8_t* back;                   // 1: seen from behind
};
void set_up_triangles(const TriangleArguments& in, const TriangleArrays& out, StreamHandle stream);
void set_up_triangles_twin(const TriangleArguments& in, const TriangleArrays& out);

// bins.cu: triangles by squares of the picture: fronts from a bin's begin on, backs from its end backwards, each in the
// order in which they are drawn.
constexpr int bin_px = 128;
constexpr int bins_along(int size_px) { return (size_px + bin_px - 1) / bin_px; }
struct BinArguments {
  int triangles, width, height;
  const TriangleBox* box;
  const std::uint8_t* back;
};
struct BinArrays {
  int* list;      // bins x triangles
  int* count;     // bins x 2: fronts, backs
};
void bin_triangles(const BinArguments& in, const BinArrays& out, StreamHandle stream);
void bin_triangles_twin(const BinArguments& in, const BinArrays& out);

// draw.cu: the nearest surface at each pixel's centre.
struct DrawArguments {
  int triangles, width, height;
  const ScreenTriangle* triangle;
  const TriangleBox* box;
  const int* list;
  const int* count;
  const MaskView* view;
  std::uint32_t background;   // B | G << 8 | R << 16
};
constexpr std::uint32_t globe_flag = 1u << 24;
struct PixelArrays {
  float* inv_depth;           // of the skin, 1/mm; 0: none
  std::uint32_t* colour;      // with globe_flag where an eyeball is seen
};
void draw_mask(const DrawArguments& in, const PixelArrays& out, StreamHandle stream);
void draw_mask_twin(const DrawArguments& in, const PixelArrays& out);

// samples.cu: eight samples at edges and eyeballs.
struct LightSum {
  std::uint32_t b, g, r;      // squares of encoded 0..255 over samples of skin and background
};
struct SampleArrays {
  std::uint32_t* colour;      // globe_flag: still to be resolved
  std::uint8_t* seen;         // pixels x 2: samples that see an eyeball, a bit each
  LightSum* sum;              // where the flag stands
};
void sample_mask(const DrawArguments& in, const PixelArrays& pixels, const SampleArrays& out, StreamHandle stream);
void sample_mask_twin(const DrawArguments& in, const PixelArrays& pixels, const SampleArrays& out);

// resolve.cu: eyeballs with the lid's shadow, and the picture's bytes.
struct ResolveArguments {
  int width, height;
  const MaskView* view;
  SampleArrays samples;
};
void resolve_mask(const ResolveArguments& in, std::uint8_t* bgr, StreamHandle stream);
void resolve_mask_twin(const ResolveArguments& in, std::uint8_t* bgr);

}  // namespace dmask::cuda
