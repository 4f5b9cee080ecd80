# cmake --install: headers, rnxConfig.cmake, version file. Consumers: find_package(rnx), link rnx::rnx.
if(NOT RNX_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(rnx_config_dir "${CMAKE_INSTALL_DATADIR}/cmake/rnx")
set(rnx_arch ARCH_INDEPENDENT)
set(rnx_installed rnx rnx_native)
foreach(library rnx_compiled rnx_cuda)
  if(TARGET ${library})
    list(APPEND rnx_installed ${library})
    set(rnx_config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rnx")
    set(rnx_arch "")
  endif()
endforeach()

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/rnx" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT rnx
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.cuh")
install(TARGETS ${rnx_installed} EXPORT rnx ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT rnx)
install(EXPORT rnx NAMESPACE rnx:: FILE rnxTargets.cmake DESTINATION "${rnx_config_dir}" COMPONENT rnx)
set(rnx_has_cuda_library FALSE)
if(TARGET rnx_cuda)
  set(rnx_has_cuda_library TRUE)
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/rnxConfig.cmake.in" "${PROJECT_BINARY_DIR}/rnxConfig.cmake"
  INSTALL_DESTINATION "${rnx_config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/rnxConfigVersion.cmake"
  VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ${rnx_arch})
install(FILES "${PROJECT_BINARY_DIR}/rnxConfig.cmake" "${PROJECT_BINARY_DIR}/rnxConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/RnxDependencies.cmake" DESTINATION "${rnx_config_dir}" COMPONENT rnx)
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT rnx)
