# SPDX-License-Identifier: MIT
# weir_add_plugin(NAME
#     SOURCES file...
#     [SCHEMA file]        the JSON Schema of the plugin's options; without it NAME.schema.json beside the
#                          CMakeLists.txt or, in weir's own tree, in schemas/
#     [LIBS target...]     what the plugin stands on besides weir
#     [NO_STATIC]          build no archive
#     [NO_INSTALL])        keep it in the build tree
#
# makes the targets
#     weir_plugin_ID          NAME.so, a module linked to libweir.so with all symbols resolved
#     weir_plugin_ID_static   libweir_plugin_ID.a, the same sources with WEIR_PLUGIN_STATIC defined, to be
#                             linked into a program and registered there
# where ID is NAME with dashes as underscores. The schema is embedded: the sources say
# #include "ID_schema.h" and get `static const char ID_schema[]`.
#
# The module is made in WEIR_PLUGIN_OUTPUT_DIRECTORY (the current binary directory, if unset) and installed to
# LIBDIR/weir, its schema to DATADIR/weir/schemas.
include(GNUInstallDirs)
include(${CMAKE_CURRENT_LIST_DIR}/WeirEmbed.cmake)
set(WEIR_PLUGIN_MAP ${CMAKE_CURRENT_LIST_DIR}/plugin.map)
set_property(GLOBAL PROPERTY WEIR_PLUGIN_SCHEMA_FOLDER ${CMAKE_CURRENT_LIST_DIR}/../schemas)

function(weir__plugin_schema result name given)
    get_property(folder GLOBAL PROPERTY WEIR_PLUGIN_SCHEMA_FOLDER)
    set(${result} "" PARENT_SCOPE)
    if(given)
        get_filename_component(given ${given} ABSOLUTE)
        if(NOT EXISTS ${given})
            message(FATAL_ERROR "weir_add_plugin(${name}): the schema ${given} does not exist")
        endif()
        set(${result} ${given} PARENT_SCOPE)
        return()
    endif()
    foreach(candidate ${CMAKE_CURRENT_SOURCE_DIR}/${name}.schema.json ${folder}/${name}.schema.json)
        if(EXISTS ${candidate})
            get_filename_component(candidate ${candidate} ABSOLUTE)
            set(${result} ${candidate} PARENT_SCOPE)
            return()
        endif()
    endforeach()
endfunction()

function(weir_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "NO_STATIC;NO_INSTALL" "SCHEMA" "SOURCES;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "weir_add_plugin(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT name MATCHES "^[a-z][a-z0-9-]*$")
        message(FATAL_ERROR "weir_add_plugin(${name}): a name is [a-z][a-z0-9-]*, as a URL's scheme")
    endif()
    if(NOT arg_SOURCES)
        message(FATAL_ERROR "weir_add_plugin(${name}): no SOURCES")
    endif()
    string(REPLACE "-" "_" id ${name})
    set(module weir_plugin_${id})
    weir__plugin_schema(schema ${name} "${arg_SCHEMA}")
    # A schema that appears later must make the build look again.
    get_property(folder GLOBAL PROPERTY WEIR_PLUGIN_SCHEMA_FOLDER)
    file(GLOB ignored CONFIGURE_DEPENDS ${folder}/${name}.schema.json
        ${CMAKE_CURRENT_SOURCE_DIR}/${name}.schema.json)

    add_library(${module} MODULE ${arg_SOURCES})
    if(WEIR_IPO)
        set_target_properties(${module} PROPERTIES ${WEIR_IPO})
    endif()
    target_link_libraries(${module} PRIVATE weir::weir ${arg_LIBS})
    target_link_options(${module} PRIVATE
        -Wl,-z,relro -Wl,-z,now -Wl,-z,defs -Wl,--version-script=${WEIR_PLUGIN_MAP})
    set_target_properties(${module} PROPERTIES
        PREFIX "" OUTPUT_NAME ${name} SUFFIX .so C_VISIBILITY_PRESET hidden LINK_DEPENDS ${WEIR_PLUGIN_MAP})
    if(WEIR_PLUGIN_OUTPUT_DIRECTORY)
        set_target_properties(${module} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${WEIR_PLUGIN_OUTPUT_DIRECTORY})
    endif()
    set(targets ${module})

    if(NOT arg_NO_STATIC)
        add_library(${module}_static STATIC ${arg_SOURCES})
        target_compile_definitions(${module}_static PUBLIC WEIR_PLUGIN_STATIC=1)
        # Which libweir it is, the program that takes both decides; here only its headers matter.
        target_link_libraries(${module}_static PUBLIC weir::headers ${arg_LIBS})
        set_target_properties(${module}_static PROPERTIES
            OUTPUT_NAME weir_plugin_${id} EXPORT_NAME plugin_${id}
            POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
        list(APPEND targets ${module}_static)
        set_property(GLOBAL APPEND PROPERTY WEIR_PLUGIN_ARCHIVES ${module}_static)
    endif()

    foreach(target IN LISTS targets)
        set_property(TARGET ${target} APPEND PROPERTY COMPILE_OPTIONS
            "SHELL:-iquote \"${CMAKE_CURRENT_SOURCE_DIR}\"")
        if(schema)
            weir_embed_text(${target} ${schema} ${id}_schema)
        endif()
    endforeach()

    if(NOT arg_NO_INSTALL)
        install(TARGETS ${module} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/weir)
        if(NOT arg_NO_STATIC)
            # weir's own archives are targets of its package; those of others go by their file's name.
            install(TARGETS ${module}_static ${WEIR_PLUGIN_EXPORT}
                ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
        endif()
        if(schema)
            install(FILES ${schema} DESTINATION ${CMAKE_INSTALL_DATADIR}/weir/schemas)
        endif()
    endif()
    set_property(GLOBAL APPEND PROPERTY WEIR_PLUGIN_MODULES ${module})
endfunction()
