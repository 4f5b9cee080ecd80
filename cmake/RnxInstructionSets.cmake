# One program part, compiled once for each instruction set, in one binary.
#
# Code outside the library's inline namespaces (the standard library's templates, packages) has the same names in each copy, and a
# linker would take one for all: the plain copy would call vectors that the processor lacks. So each copy becomes one object whose
# names are local but for its entry, and whose initialisers run only when it is chosen (compiled/chosen.hpp).
set(rnx_isas plain)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang" AND UNIX AND NOT APPLE)
  set(rnx_isas plain avx2 avx512)
  # -march also overrides one that the user's own flags have: plain stays plain
  set(rnx_isa_plain -march=x86-64)
  set(rnx_isa_avx2 -march=x86-64-v3)
  set(rnx_isa_avx512 -march=x86-64-v4)
endif()

# rnx_compile_each(name SOURCES ... [LIBRARIES ...] [ENTRY symbol] [DEFINITIONS ...] [UNITY ...] [UNITY_SIZE n]): object libraries
# NAME_<instruction set>. RNX_ENTRY is defined as SYMBOL_<instruction set>. UNITY: of the sources, those that are compiled
# together, n (0: all) in one translation unit.
function(rnx_compile_each name)
  cmake_parse_arguments(PARSE_ARGV 1 P "" "ENTRY;UNITY_SIZE" "SOURCES;LIBRARIES;DEFINITIONS;UNITY")
  if(NOT P_UNITY_SIZE)
    set(P_UNITY_SIZE 0)
  endif()
  foreach(isa IN LISTS rnx_isas)
    set(part ${name}_${isa})
    add_library(${part} OBJECT ${P_SOURCES})
    target_link_libraries(${part} PRIVATE rnx ${P_LIBRARIES})
    target_compile_options(${part} PRIVATE ${rnx_isa_${isa}} -fno-gnu-unique)
    set_target_properties(${part} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF)
    list(LENGTH P_SOURCES count)
    if(count GREATER 2)
      target_precompile_headers(${part} PRIVATE <rnx/rnx.hpp>)
    endif()
    if(P_UNITY)
      rnx_unity(${part} ${P_UNITY_SIZE} ${P_UNITY})
    endif()
    if(P_ENTRY)
      target_compile_definitions(${part} PRIVATE RNX_ENTRY=${P_ENTRY}_${isa} ${P_DEFINITIONS})
    endif()
  endforeach()
endfunction()

# rnx_join_each(result name ENTRY symbol PARTS name ...): one object for each instruction set, of the parts that rnx_compile_each made,
# with SYMBOL_<instruction set> as its only global name.
function(rnx_join_each result name)
  cmake_parse_arguments(PARSE_ARGV 2 P "" "ENTRY" "PARTS")
  set(objects "")
  foreach(isa IN LISTS rnx_isas)
    set(entry ${P_ENTRY}_${isa})
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}_${isa}.o")
    set(whole "${CMAKE_CURRENT_BINARY_DIR}/${name}_${isa}_whole.o")
    set(inputs "")
    foreach(part IN LISTS P_PARTS)
      list(APPEND inputs "$<FILTER:$<TARGET_OBJECTS:${part}_${isa}>,EXCLUDE,[.][gp]ch$>")  # not precompiled headers
    endforeach()
    add_custom_command(OUTPUT "${object}" BYPRODUCTS "${whole}"
      COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${whole}" ${inputs}
      COMMAND "${CMAKE_OBJCOPY}" --wildcard "--keep-global-symbol=*${entry}*" --rename-section ".init_array=rnx_init_${isa}"
        "${whole}" "${object}"
      DEPENDS ${inputs} COMMAND_EXPAND_LISTS VERBATIM)
    list(APPEND objects "${object}")
  endforeach()
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(${result} "${objects}" PARENT_SCOPE)
endfunction()

# rnx_portable_executable(name SOURCES ... [PARTS name ...] [LIBRARIES ...] [ARCHIVES ...] [UNITY_SIZE n]): statically linked, with a
# copy of the program for each instruction set: its sources (n in a translation unit), compiled with the libraries' flags, and parts
# that rnx_compile_each made; archives are linked.
function(rnx_portable_executable name)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "portable executables are linked by g++, which brings an archive of OpenMP's runtime; found ${CMAKE_CXX_COMPILER_ID}")
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 P "" "UNITY_SIZE" "SOURCES;PARTS;LIBRARIES;ARCHIVES")
  set(unity "")
  if(P_UNITY_SIZE)
    set(unity UNITY_SIZE ${P_UNITY_SIZE} UNITY ${P_SOURCES})
  endif()
  rnx_compile_each(${name}_part ENTRY rnx_main DEFINITIONS main=RNX_ENTRY SOURCES ${P_SOURCES} LIBRARIES ${P_LIBRARIES} ${unity})
  rnx_join_each(objects ${name} ENTRY rnx_main PARTS ${name}_part ${P_PARTS})
  add_executable(${name} "${PROJECT_SOURCE_DIR}/cmake/compiled/launch.cpp" ${objects})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE ${P_ARCHIVES})
  # the compiler driver knows its archive of OpenMP's runtime; the package's target may name a shared one
  target_link_options(${name} PRIVATE -static $<$<TARGET_EXISTS:OpenMP::OpenMP_CXX>:-fopenmp> -Wl,--gc-sections -s)
endfunction()
