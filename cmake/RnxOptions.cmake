# Every switch of the build. As a part of another project rnx is the library and nothing else.
option(RNX_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(RNX_BUILD_EXAMPLES "Build the examples and tools" ${PROJECT_IS_TOP_LEVEL})
option(RNX_BUILD_PAPERS "With the examples and tools: the papers' executables, and their networks in rnx-eval" ON)
option(RNX_BUILD_BENCHMARKS "Build the benchmarks (needs Google Benchmark)" OFF)
option(RNX_BUILD_FUZZERS "Build the libFuzzer targets (needs clang++)" OFF)
option(RNX_BUILD_COMPILED "Build rnx::compiled, the model registry as a library for several instruction sets" OFF)
option(RNX_PORTABLE "Link the executables statically, with a copy of the program for each instruction set" OFF)
option(RNX_FETCH_DEPENDENCIES "Download the packages that find_package does not find" ${PROJECT_IS_TOP_LEVEL})
option(RNX_INSTALL "Generate the install rules" ${PROJECT_IS_TOP_LEVEL})
option(RNX_WERROR "Warnings of our own tests and examples are errors" OFF)
set(RNX_SANITIZE OFF CACHE STRING "Sanitizers of the tests: OFF, ON (addresses and undefined behaviour) or thread")
set_property(CACHE RNX_SANITIZE PROPERTY STRINGS OFF ON thread)

set(RNX_MODELS "" CACHE STRING "Model families compiled into the executables (empty: all), like resnet20;resnet18")

set(RNX_IMAGE_SHAPES "" CACHE STRING
  "Shapes of images that these families are compiled for beside their usual ones, like 3x64x64;1x32x32")

set(rnx_cuda_default OFF)
if(PROJECT_IS_TOP_LEVEL)
  set(rnx_cuda_default AUTO)
endif()
set(RNX_CUDA ${rnx_cuda_default} CACHE STRING "Build rnx::cuda: AUTO (if nvcc is found), ON or OFF")
set_property(CACHE RNX_CUDA PROPERTY STRINGS AUTO ON OFF)

set(RNX_DEVICE cpu CACHE STRING "Device of the executables: cpu, cuda (needs RNX_CUDA) or loopback (a stand-in for tests)")
set_property(CACHE RNX_DEVICE PROPERTY STRINGS cpu cuda loopback)

set(RNX_DEPS_DIR "" CACHE PATH "Folder with Eigen/, xtensor/, xtl/, nlohmann/, xxhash.h, doctest/ to use instead of find_package")

if(PROJECT_IS_TOP_LEVEL)
  set(RNX_COMPILE_JOBS 2 CACHE STRING "Compilers that run at once (Ninja only); a translation unit may need 1 GB")
  set_property(GLOBAL APPEND PROPERTY JOB_POOLS rnx_compile=${RNX_COMPILE_JOBS})
  set(CMAKE_JOB_POOL_COMPILE rnx_compile)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
  endif()
endif()
