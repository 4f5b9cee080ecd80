# rnx::compiled: the models of the registry behind include/rnx/compiled.hpp, compiled once for several instruction sets, of which the
# widest that the processor has is taken at run time.
if(NOT RNX_BUILD_COMPILED)
  return()
endif()
rnx_model_sources(rnx_models)
rnx_compile_each(rnx_compiled_part ENTRY rnx_compiled_models
  SOURCES "${PROJECT_SOURCE_DIR}/cmake/compiled/models.cpp" ${rnx_models})
rnx_join_each(rnx_parts rnx_compiled_models ENTRY rnx_compiled_models PARTS rnx_compiled_part)
add_library(rnx_compiled STATIC "${PROJECT_SOURCE_DIR}/cmake/compiled/compiled.cpp" ${rnx_parts})
add_library(rnx::compiled ALIAS rnx_compiled)
set_target_properties(rnx_compiled PROPERTIES EXPORT_NAME compiled LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON)
target_link_libraries(rnx_compiled PUBLIC rnx)
