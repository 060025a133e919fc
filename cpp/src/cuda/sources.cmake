# The sources of this folder with their whole paths: cpp/tests builds them once more, with an emulation of the GPU.
set(cuda_kernels
  looks/crops.cu looks/sharpness.cu looks/exposure.cu looks/thumbnail.cu looks/heatmaps.cu looks/lines.cu
  fits/subject.cu fits/fit_faces.cu fits/fit_eyelids.cu fits/fit_eyeballs.cu
  mask/pose.cu mask/skin.cu mask/triangles.cu mask/bins.cu mask/draw.cu mask/samples.cu mask/resolve.cu
)
set(cuda_host
  runtime/device.cc looks/gpu_vision.cc mask/gpu_painter.cc fits/fit_input.cc fits/batch_fit.cc fits/batch_check.cc
)
set(cuda_without_gpu without_cuda.cc)
set(tensorrt_runner tensorrt/library.cc tensorrt/signatures.cc tensorrt/tensorrt_net.cc)
set(tensorrt_without_runner tensorrt/without_tensorrt.cc)
# In every build: the choice of a backend asks what there is.
set(cuda_always choose_backend.cc tensorrt/engine_file.cc tensorrt/served_cards.cc)
foreach(list cuda_kernels cuda_host cuda_without_gpu tensorrt_runner tensorrt_without_runner cuda_always)
  list(TRANSFORM ${list} PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
endforeach()
