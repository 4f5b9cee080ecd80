# For our own tests, examples and benchmarks only: warnings, sanitizers, kernels that are compiled once.
option(RNX_DEV_SHARE
  "Compile kernels once, with -O2, for all tests, examples and executables; their own code as the build type says" OFF)

add_library(rnx_dev INTERFACE)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # its collector takes a fifth of the time of a file with a network, and saves a tenth of memory
  target_compile_options(rnx_dev INTERFACE
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:--param ggc-min-heapsize=1048576>")
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(rnx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic>)
  if(RNX_WERROR)
    target_compile_options(rnx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # flow-dependent warnings with false positives after inlining
      target_compile_options(rnx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-error=maybe-uninitialized;-Wno-error=array-bounds;-Wno-error=stringop-overflow;-Wno-error=restrict>)
    endif()
  endif()
  if(RNX_SANITIZE STREQUAL "thread")
    target_compile_options(rnx_dev INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=thread;-fno-omit-frame-pointer>)
    target_link_options(rnx_dev INTERFACE -fsanitize=thread)
  elseif(RNX_SANITIZE)
    target_compile_options(rnx_dev INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=address,undefined;-fno-sanitize-recover=all;-fno-omit-frame-pointer>)
    target_link_options(rnx_dev INTERFACE -fsanitize=address,undefined)
  endif()
endif()

# rnx_dev_target(target): what every executable of ours gets.
function(rnx_dev_target target)
  target_link_libraries(${target} PRIVATE rnx::rnx rnx_dev)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
endfunction()

if(RNX_DEV_SHARE)
  add_library(rnx_dev_kernels OBJECT "${PROJECT_SOURCE_DIR}/cmake/dev/instantiated.cpp")
  rnx_dev_target(rnx_dev_kernels)
  if(RNX_SANITIZE)  # what clang++ does not vectorize there it would say
    target_compile_options(rnx_dev_kernels PRIVATE -O1 $<$<CXX_COMPILER_ID:Clang>:-Wno-pass-failed>)
  else()
    target_compile_options(rnx_dev_kernels PRIVATE -O2)
  endif()
endif()

# rnx_dev_precompile(target HEADER...): these and rnx.hpp are parsed once; only files with the same flags can take them.
function(rnx_dev_precompile target)
  target_precompile_headers(${target} PRIVATE <rnx/rnx.hpp> ${ARGN})
  if(RNX_DEV_SHARE)
    target_precompile_headers(${target} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/dev/instantiated.hpp")
  endif()
endfunction()

# rnx_dev_executable(name SOURCE...): one with the shared kernels. They stand first: of what several objects have, the linker
# takes the first.
function(rnx_dev_executable name)
  add_executable(${name})
  if(RNX_DEV_SHARE)
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:rnx_dev_kernels>)
  endif()
  target_sources(${name} PRIVATE ${ARGN})
  rnx_dev_target(${name})
endfunction()

# rnx_dev_test(name COMMAND ... [LABELS ...] [PROCESSORS n]): a CTest test in the folder tests/.
function(rnx_dev_test name)
  cmake_parse_arguments(PARSE_ARGV 1 T "" "PROCESSORS;TIMEOUT" "COMMAND;LABELS")
  if(NOT T_PROCESSORS)
    set(T_PROCESSORS 1)
  endif()
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 600)
  endif()
  add_test(NAME ${name} COMMAND ${T_COMMAND} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}/tests")
  set_tests_properties(${name} PROPERTIES LABELS "${T_LABELS}" PROCESSORS ${T_PROCESSORS} TIMEOUT ${T_TIMEOUT}
    SKIP_RETURN_CODE 77
    ENVIRONMENT "RNX_TEST_DIR=${PROJECT_SOURCE_DIR}/tests;UBSAN_OPTIONS=print_stacktrace=1;OMP_WAIT_POLICY=passive")
endfunction()

# rnx_unity(target size SOURCE...): these sources of the target are compiled together, `size` (0: all) in one translation unit.
function(rnx_unity target size)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  set(number 0)
  foreach(source IN LISTS ARGN)
    set(group 0)
    if(size GREATER 0)
      math(EXPR group "${number} / ${size}")
    endif()
    set_source_files_properties("${source}" PROPERTIES UNITY_GROUP group_${group})
    math(EXPR number "${number} + 1")
  endforeach()
endfunction()
