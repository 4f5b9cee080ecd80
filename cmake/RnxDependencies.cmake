# Where each package comes from, in this order: a target that the parent project has, RNX_DEPS_DIR, find_package, FetchContent.
# Used by the build and by the installed rnxConfig.cmake (which never downloads).
#
#   rnx_find_dependencies()               what rnx::rnx needs; rnx::images with the libraries that are there
#   rnx_find_package(doctest benchmark)   what tests, benchmarks and example tools need

include_guard()

# name: target, header that proves it in RNX_DEPS_DIR, find_package arguments, source, tag, include folder in the source
set(RNX_PACKAGE_eigen Eigen3::Eigen Eigen/Core "Eigen3 3.4 CONFIG" https://gitlab.com/libeigen/eigen.git 3.4.0 .)
set(RNX_PACKAGE_xtl xtl xtl/xtl_config.hpp "xtl CONFIG" https://github.com/xtensor-stack/xtl.git 0.7.7 include)
set(RNX_PACKAGE_xtensor xtensor xtensor/xtensor_config.hpp "xtensor CONFIG"
    https://github.com/xtensor-stack/xtensor.git 0.24.7 include)
set(RNX_PACKAGE_json nlohmann_json::nlohmann_json nlohmann/json.hpp "nlohmann_json 3.9 CONFIG"
    https://github.com/nlohmann/json.git v3.11.3 single_include)
set(RNX_PACKAGE_doctest doctest::doctest doctest/doctest.h "doctest CONFIG"
    https://github.com/doctest/doctest.git v2.4.12 .)
set(RNX_PACKAGE_cli11 CLI11::CLI11 CLI/CLI.hpp "CLI11 CONFIG" https://github.com/CLIUtils/CLI11.git v2.4.2 include)
set(RNX_PACKAGE_fmt fmt::fmt fmt/format.h "fmt CONFIG" https://github.com/fmtlib/fmt.git 9.1.0 include)
set(RNX_PACKAGE_benchmark benchmark::benchmark "" "benchmark CONFIG" https://github.com/google/benchmark.git v1.8.5 "")

# A header package: an imported target with one include folder. Its own CMake does not run.
function(rnx_header_target target folder)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE "${folder}")
  if(target STREQUAL "xtensor")
    target_link_libraries(xtensor INTERFACE xtl)
  elseif(target STREQUAL "fmt::fmt")
    target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY=1)
  endif()
endfunction()

# Targets of find_package end at the folder that called it; the parent project links them too. rnx_remember(targets...) comes before
# find_package, rnx_promote() after it: what was there before was made elsewhere, and CMake lets nobody else promote it.
macro(rnx_remember)
  set(rnx_new_targets "")
  foreach(rnx_candidate ${ARGN})
    if(NOT TARGET ${rnx_candidate})
      list(APPEND rnx_new_targets ${rnx_candidate})
    endif()
  endforeach()
endmacro()
macro(rnx_promote)
  foreach(rnx_promoted ${rnx_new_targets})
    if(TARGET ${rnx_promoted})
      get_target_property(rnx_aliased ${rnx_promoted} ALIASED_TARGET)
      get_target_property(rnx_imported ${rnx_promoted} IMPORTED)
      if(rnx_imported AND NOT rnx_aliased)
        set_target_properties(${rnx_promoted} PROPERTIES IMPORTED_GLOBAL TRUE)
      endif()
    endif()
  endforeach()
endmacro()

macro(rnx_find_package)
  foreach(rnx_name ${ARGN})
    list(GET RNX_PACKAGE_${rnx_name} 0 rnx_target)
    list(GET RNX_PACKAGE_${rnx_name} 1 rnx_header)
    if(NOT TARGET ${rnx_target} AND RNX_DEPS_DIR AND rnx_header AND EXISTS "${RNX_DEPS_DIR}/${rnx_header}")
      rnx_header_target(${rnx_target} "${RNX_DEPS_DIR}")
    endif()
    if(NOT TARGET ${rnx_target})
      list(GET RNX_PACKAGE_${rnx_name} 2 rnx_arguments)
      string(REPLACE " " ";" rnx_arguments "${rnx_arguments}")
      rnx_remember(${rnx_target})
      find_package(${rnx_arguments} QUIET)
      list(GET RNX_PACKAGE_${rnx_name} 0 rnx_target)  # a package may have used the name
      rnx_promote()
    endif()
    if(NOT TARGET ${rnx_target} AND RNX_FETCH_DEPENDENCIES)
      rnx_fetch(${rnx_name})
    endif()
    if(NOT TARGET ${rnx_target})
      list(APPEND rnx_missing ${rnx_name})
    endif()
  endforeach()
  if(rnx_missing AND NOT RNX_IN_PACKAGE_CONFIG)
    message(FATAL_ERROR "rnx: not found: ${rnx_missing}. Install them, set CMAKE_PREFIX_PATH or RNX_DEPS_DIR, "
                        "or set RNX_FETCH_DEPENDENCIES=ON to download them.")
  endif()
endmacro()

function(rnx_fetch name)
  include(FetchContent)
  list(GET RNX_PACKAGE_${name} 0 target)
  list(GET RNX_PACKAGE_${name} 3 repository)
  list(GET RNX_PACKAGE_${name} 4 tag)
  message(STATUS "rnx: downloading ${name} ${tag}")
  if(name STREQUAL "benchmark")
    set(BENCHMARK_ENABLE_TESTING OFF CACHE INTERNAL "")
    set(BENCHMARK_ENABLE_INSTALL OFF CACHE INTERNAL "")
    FetchContent_Declare(rnx_benchmark GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON)
    FetchContent_MakeAvailable(rnx_benchmark)
  else()
    list(GET RNX_PACKAGE_${name} 5 folder)
    # A SOURCE_SUBDIR without CMakeLists.txt: the headers are fetched, nothing is configured.
    FetchContent_Declare(rnx_${name} GIT_REPOSITORY ${repository} GIT_TAG ${tag} GIT_SHALLOW ON SOURCE_SUBDIR headers-only)
    FetchContent_MakeAvailable(rnx_${name})
    rnx_header_target(${target} "${rnx_${name}_SOURCE_DIR}/${folder}")
  endif()
endfunction()

macro(rnx_find_dependencies)
  rnx_find_package(eigen xtl xtensor json)
  if(NOT TARGET OpenMP::OpenMP_CXX)
    rnx_remember(OpenMP::OpenMP_CXX)
    find_package(OpenMP QUIET COMPONENTS CXX)
    rnx_promote()
  endif()
  rnx_find_images()
endmacro()

# rnx::images: rnx::rnx with the libraries that read JPEG and PNG, for programs that include rnx/data/image_folder.hpp. A library that is not
# there is left out, never downloaded, and pictures of its format are refused when they are read. It is made anew on the machine that
# uses an installed rnx.
macro(rnx_find_images)
  if(NOT TARGET rnx::images)
    add_library(rnx::images INTERFACE IMPORTED GLOBAL)
    target_link_libraries(rnx::images INTERFACE rnx::rnx)
    foreach(rnx_format JPEG PNG)
      if(NOT TARGET ${rnx_format}::${rnx_format})
        rnx_remember(${rnx_format}::${rnx_format} ZLIB::ZLIB)
        find_package(${rnx_format} QUIET)
        rnx_promote()
      endif()
      if(TARGET ${rnx_format}::${rnx_format})
        target_link_libraries(rnx::images INTERFACE ${rnx_format}::${rnx_format})
        target_compile_definitions(rnx::images INTERFACE RNX_HAS_${rnx_format})
      endif()
    endforeach()
  endif()
endmacro()
