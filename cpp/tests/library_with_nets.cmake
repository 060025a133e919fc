# What makes masks with libdmask: it loads nets.
find_package(Threads REQUIRED)
add_executable(endurance ${PROJECT_SOURCE_DIR}/bench/endurance.cc)
target_compile_features(endurance PRIVATE cxx_std_20)
target_link_libraries(endurance PRIVATE dmask rendered_face ${CMAKE_DL_LIBS})

c99_program(test_capi test_capi.c)
target_link_libraries(test_capi PRIVATE rendered_face Threads::Threads m)
c99_program(test_headers test_headers.c test_old_header.c)
c99_program(test_sanitized test_headers.c test_old_header.c)  # a program under AddressSanitizer, the library as it ships
target_compile_options(test_sanitized PRIVATE -fsanitize=address -fno-omit-frame-pointer -g1)
target_link_options(test_sanitized PRIVATE -fsanitize=address)
foreach(program test_headers test_sanitized)
  target_link_libraries(${program} PRIVATE rendered_face m)
endforeach()
add_executable(test_capi_allocations test_capi_allocations.cc)
target_link_libraries(test_capi_allocations PRIVATE rendered_face ${CMAKE_DL_LIBS})
add_executable(test_capi_frames test_capi_frames.cc ${PROJECT_SOURCE_DIR}/cpp/src/capi/frame.cc)  # which libdmask hides
target_include_directories(test_capi_frames PRIVATE ${PROJECT_SOURCE_DIR}/cpp/include)
target_link_libraries(test_capi_frames PRIVATE dmask_core ${CMAKE_DL_LIBS})
set_target_properties(test_capi_allocations test_capi_frames PROPERTIES ENABLE_EXPORTS ON)
add_executable(test_release test_release.cc)  # the core's doors, and libdmask's
target_link_libraries(test_release PRIVATE dmask rendered_face)
foreach(program test_capi test_headers test_sanitized test_capi_allocations test_capi_frames test_release)
  add_test(NAME ${program} COMMAND ${program})
  set_tests_properties(${program} PROPERTIES ENVIRONMENT "DMASK_MODELS=${models}")
endforeach()
add_executable(face_frames face_frames.cc)
target_link_libraries(face_frames PRIVATE rendered_face)
add_test(NAME installed_tree
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/installed_tree.sh ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR} $<TARGET_FILE:face_frames>)
