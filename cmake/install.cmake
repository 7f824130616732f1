# cmake --install: the archive, the command line, the headers under include/feral, and find_package(feral).
include(CMakePackageConfigHelpers)

install(TARGETS feral EXPORT feral_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET feral_cli)
  install(TARGETS feral_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(EXPORT feral_targets NAMESPACE feral:: FILE feralTargets.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/feral)

# A user's own "data/dataset.hpp" must never be taken inside our headers: prefix their includes on the way.
install(CODE "set(FERAL_SOURCE \"${PROJECT_SOURCE_DIR}\")
              set(FERAL_FOLDERS \"${FERAL_FOLDERS}\")
              set(FERAL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")")
install(SCRIPT ${CMAKE_CURRENT_LIST_DIR}/install_headers.cmake)

configure_package_config_file(cmake/feralConfig.cmake.in ${PROJECT_BINARY_DIR}/feralConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/feral)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/feralConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/feralConfig.cmake ${PROJECT_BINARY_DIR}/feralConfigVersion.cmake
              cmake/modules/FindOpenBLAS.cmake cmake/modules/FindHighway.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/feral)
