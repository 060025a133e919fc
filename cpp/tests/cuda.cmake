# The tests of the CUDA part on a device WHERE: dmask_cuda_WHERE is the part with its runtime, tensorrt_double_WHERE the
# library that its TensorRT runner loads as it would load the real one. Programs are called PREFIX_….
include(${PROJECT_SOURCE_DIR}/cpp/src/cuda/sources.cmake)
file(GLOB twins CONFIGURE_DEPENDS cuda_twins/*.cc)
function(dmask_cuda_tests where prefix)
  target_include_directories(dmask_cuda_${where} BEFORE PUBLIC tensorrt_double)
  target_compile_options(dmask_cuda_${where} PRIVATE -Wall -Wextra)
  target_link_libraries(dmask_cuda_${where} PUBLIC dmask_core ${CMAKE_DL_LIBS})
  add_library(cuda_twins_${where} STATIC ${twins})  # what each kernel is compared with
  target_include_directories(cuda_twins_${where} PUBLIC .)
  target_compile_options(cuda_twins_${where} PRIVATE -Wall -Wextra)
  target_link_libraries(cuda_twins_${where} PUBLIC dmask_cuda_${where})
  add_library(tensorrt_double_${where} MODULE tensorrt_double/double.cc)
  target_include_directories(tensorrt_double_${where} PRIVATE . tensorrt_double)
  target_compile_options(tensorrt_double_${where} PRIVATE -Wall -Wextra)
  target_compile_features(tensorrt_double_${where} PRIVATE cxx_std_20)
  target_link_libraries(tensorrt_double_${where} PRIVATE openvino::runtime)
  foreach(source ${ARGN})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE test_cuda ${prefix} name ${name})
    add_executable(${name} ${source} device_allocations.cc)
    target_link_libraries(${name} PRIVATE rendered_face cuda_twins_${where})
    target_link_options(${name} PRIVATE -Wl,--wrap=cudaMalloc,--wrap=cudaMallocHost)  # counted in device_allocations.cc
    add_dependencies(${name} tensorrt_double_${where})
  endforeach()
endfunction()

# The kernels' own sources on the CPU, under sanitizers and with threads in a shuffled order.
list(APPEND emulated_test_sources ${cuda_test_sources})
set_source_files_properties(${cuda_kernels} PROPERTIES LANGUAGE CXX)
add_library(dmask_cuda_emulated STATIC ${cuda_always} ${cuda_kernels} ${cuda_host} ${tensorrt_runner} cuda_host/cuda_host.cc)
dmask_cuda_tests(emulated test_cuda ${emulated_test_sources})
set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1)
target_include_directories(dmask_cuda_emulated BEFORE PUBLIC cuda_host)
target_compile_options(dmask_cuda_emulated PUBLIC ${sanitize} PRIVATE -Wno-unknown-pragmas)
target_link_options(dmask_cuda_emulated PUBLIC ${sanitize})
target_include_directories(tensorrt_double_emulated PRIVATE cuda_host)
target_compile_options(tensorrt_double_emulated PRIVATE ${sanitize})
target_link_options(tensorrt_double_emulated PRIVATE ${sanitize})
foreach(source ${emulated_test_sources})
  get_filename_component(name ${source} NAME_WE)
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)  # the double calls the emulation
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES ENVIRONMENT "DMASK_MODELS=${models};DMASK_CUDA_HOST_SEED=1;\
DMASK_TENSORRT_LIBRARY=$<TARGET_FILE:tensorrt_double_emulated>;\
TBB_ENABLE_SANITIZERS=1")  # OpenVINO's threads load libraries in a way that AddressSanitizer refuses
endforeach()

# The same programs on a card: the kernels as nvcc compiles them, CUDA's own runtime.
if(DMASK_GPU_TESTS)
  if(NOT DMASK_HAS_CUDA)
    message(FATAL_ERROR "DMASK_GPU_TESTS=ON, but this build has no CUDA kernels: set DMASK_CUDA=ON to learn what is missing")
  endif()
  add_library(dmask_cuda_card STATIC ${cuda_always} ${tensorrt_runner} $<TARGET_OBJECTS:dmask_cuda_kernels>)
  dmask_cuda_tests(card test_gpu ${cuda_test_sources})
  target_link_libraries(dmask_cuda_card PUBLIC CUDA::cudart_static)
  target_link_libraries(tensorrt_double_card PRIVATE CUDA::cudart_static)  # a runtime of its own, as TensorRT has
  add_executable(on_card cuda_card/on_card.cc)
  target_link_libraries(on_card PRIVATE dmask_cuda)
  add_executable(gpu_times ${PROJECT_SOURCE_DIR}/bench/gpu_times.cc ${PROJECT_SOURCE_DIR}/bench/gpu_clock.cc)
  target_include_directories(gpu_times PRIVATE .)
  target_link_libraries(gpu_times PRIVATE dmask_cuda_card)
  target_link_options(gpu_times PRIVATE -Wl,--wrap=cudaGraphLaunch,--wrap=cudaMemcpyAsync,--wrap=cudaMemcpy2DAsync)
  set(gpu_programs on_card tensorrt_double_card gpu_times)
  foreach(source ${cuda_test_sources})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE test_cuda test_gpu name ${name})
    list(APPEND gpu_programs ${name})
    add_test(NAME ${name} COMMAND on_card $<TARGET_FILE:${name}>)
    set_tests_properties(${name} PROPERTIES LABELS gpu SKIP_RETURN_CODE 77
      ENVIRONMENT "DMASK_MODELS=${models};DMASK_TENSORRT_LIBRARY=$<TARGET_FILE:tensorrt_double_card>")
  endforeach()
  add_custom_target(gpu_tests DEPENDS ${gpu_programs} test_models)
endif()
