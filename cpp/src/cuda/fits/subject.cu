#include "cuda/fits/kernels.hpp"
#include "cuda/runtime/device.hpp"

namespace dmask::cuda {
namespace {

constexpr int threads = 128;
constexpr int max_identities = 128, max_interactions = 64;
constexpr int at_once = 8,
              padded_units = (max_fit_units + at_once - 1) / at_once * at_once;  // units summed in registers

// How much of each interaction mode each unit takes for an identity: FaceModel::interaction_weights.
__global__ void __launch_bounds__(threads)
    weights_kernel(FaceBasis basis, const float* identity, int modes, float* weights) {
  const int block = basis.unit_count * basis.interactions, at = static_cast<int>(blockIdx.x * threads + threadIdx.x);
  if (at >= block) return;
  const float* w = identity + static_cast<std::size_t>(blockIdx.y) * modes;
  float sum = 0;
  for (int k = 0; k < modes; ++k) sum += w[k] * basis.interaction_coef[static_cast<std::size_t>(k) * block + at];
  const int unit = at / basis.interactions, p = at % basis.interactions;
  weights[static_cast<std::size_t>(blockIdx.y) * block + p * basis.unit_count + unit] = basis.interaction_step[p] * sum;
}

// Eq. (1) with the identity contracted; a thread a coordinate, a row of blocks a subject.
__global__ void __launch_bounds__(threads)
    contract_kernel(FaceBasis basis, const float* identity, int modes, ContractedFaces faces) {
  __shared__ float mode_weight[max_identities];
  __shared__ float4 weights[max_interactions][padded_units / 4];  // zeros beyond the units
  const int t = static_cast<int>(threadIdx.x), subject = static_cast<int>(blockIdx.y);
  const int block = basis.interactions * basis.unit_count;
  for (int k = t; k < modes; k += threads)
    mode_weight[k] = identity[static_cast<std::size_t>(subject) * modes + k] * basis.identity_step[k];
  for (int at = t; at < basis.interactions * padded_units; at += threads) {
    const int p = at / padded_units, m = at % padded_units;
    (&weights[p][0].x)[m] = m < basis.unit_count
                                ? faces.weights[static_cast<std::size_t>(subject) * block + p * basis.unit_count + m]
                                : 0.0f;
  }
  __syncthreads();
  const std::size_t values = static_cast<std::size_t>(basis.values),
                    v = blockIdx.x * static_cast<std::size_t>(threads) + t;
  if (v >= values) return;
  float neutral = basis.mean[v];
  for (int k = 0; k < modes; ++k) neutral += mode_weight[k] * static_cast<float>(basis.identity[k * values + v]);
  faces.neutral[subject * values + v] = neutral;
  float* units = faces.units + subject * values * basis.unit_count + v;
  for (int first = 0; first < basis.unit_count; first += at_once) {
    float4 low{0, 0, 0, 0}, high{0, 0, 0, 0};
    for (int p = 0; p < basis.interactions; ++p) {
      const float q = static_cast<float>(basis.interaction[p * values + v]);
      const float4 a = weights[p][first / 4], b = weights[p][first / 4 + 1];
      low.x += q * a.x, low.y += q * a.y, low.z += q * a.z, low.w += q * a.w;
      high.x += q * b.x, high.y += q * b.y, high.z += q * b.z, high.w += q * b.w;
    }
    const auto put = [&](int m, float from_identity) {
      if (m < basis.unit_count)
        units[m * values] = basis.unit_step[m] * static_cast<float>(basis.units[m * values + v]) + from_identity;
    };
    put(first, low.x), put(first + 1, low.y), put(first + 2, low.z), put(first + 3, low.w);
    put(first + 4, high.x), put(first + 5, high.y), put(first + 6, high.z), put(first + 7, high.w);
  }
}

}  // namespace

void contract_faces(const FaceBasis& basis, const float* identity, int identity_modes, int subjects,
                    const ContractedFaces& faces, StreamHandle stream) {
  check_cuda(
      basis.interactions <= max_interactions && basis.unit_count <= max_fit_units && identity_modes <= max_identities
          ? cudaSuccess
          : cudaErrorInvalidValue,
      "contracting a face model larger than the kernel's layout");
  const auto all = static_cast<unsigned>(subjects);
  launch(stream, dim3(blocks_for(static_cast<std::size_t>(basis.unit_count) * basis.interactions, threads), all),
         threads, weights_kernel, basis, identity, identity_modes, faces.weights);
  launch(stream, dim3(blocks_for(static_cast<std::size_t>(basis.values), threads), all), threads, contract_kernel,
         basis, identity, identity_modes, faces);
}

}  // namespace dmask::cuda
