# rnx::compiled: the models of the registry behind include/rnx/compiled.hpp, compiled once for several instruction sets, of which the
# widest that the processor has is taken at run time.

# rnx_add_compiled(target sources ...): that library with the families that the sources register.
function(rnx_add_compiled target)
  rnx_compile_each(${target}_part ENTRY rnx_compiled_models SOURCES "${PROJECT_SOURCE_DIR}/cmake/compiled/models.cpp" ${ARGN})
  rnx_join_each(parts ${target}_models ENTRY rnx_compiled_models PARTS ${target}_part)
  add_library(${target} STATIC "${PROJECT_SOURCE_DIR}/cmake/compiled/compiled.cpp" ${parts})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${target} PUBLIC rnx)
endfunction()

if(RNX_BUILD_COMPILED)
  rnx_model_sources(rnx_models)
  rnx_add_compiled(rnx_compiled ${rnx_models})
  add_library(rnx::compiled ALIAS rnx_compiled)
  set_target_properties(rnx_compiled PROPERTIES EXPORT_NAME compiled)
endif()
