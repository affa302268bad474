# SPDX-License-Identifier: MIT
# What `cmake --install` puts where: the library and its headers, the CMake package and weir.pc, the program.
# The plugins install themselves (weir_add_plugin).
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/weir)

install(TARGETS weir weir_static weir_headers EXPORT weirTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS weir_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/docs/weir.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/core/include/weir DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h")

# The core's own schemas; a plugin's comes with the plugin.
foreach(schema service stream server)
    if(EXISTS ${PROJECT_SOURCE_DIR}/schemas/${schema}.schema.json)
        install(FILES ${PROJECT_SOURCE_DIR}/schemas/${schema}.schema.json
            DESTINATION ${CMAKE_INSTALL_DATADIR}/weir/schemas)
    endif()
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT weirTargets NAMESPACE weir:: DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/weirConfig.cmake.in
    ${PROJECT_BINARY_DIR}/weirConfig.cmake
    INSTALL_DESTINATION ${package_folder}
    PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_DATADIR)
# While the major version is 0, a minor version may break what stands on it.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/weirConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/weirConfig.cmake ${PROJECT_BINARY_DIR}/weirConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/WeirPlugin.cmake ${PROJECT_SOURCE_DIR}/cmake/WeirEmbed.cmake
    ${PROJECT_SOURCE_DIR}/cmake/WeirEmbedScript.cmake ${PROJECT_SOURCE_DIR}/cmake/plugin.map
    DESTINATION ${package_folder})

# Paths in weir.pc start from where the file lies, so that a staged or moved tree works as it stands.
file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_to_prefix ${pc_to_prefix})
configure_file(${PROJECT_SOURCE_DIR}/cmake/weir.pc.in ${PROJECT_BINARY_DIR}/weir.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/weir.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
