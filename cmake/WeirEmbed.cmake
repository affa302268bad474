# SPDX-License-Identifier: MIT
# weir_embed_text(TARGET FILE NAME): a generated header NAME.h, found by #include "NAME.h" in TARGET's files,
# that holds the bytes of FILE as `static const char NAME[]`, ended by a zero byte that is not part of them.
set(WEIR_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/WeirEmbedScript.cmake)

function(weir_embed_text target file name)
    get_filename_component(file ${file} ABSOLUTE)
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
    set(header ${folder}/${name}.h)
    # Two targets of one folder may embed the same text (a library and its static twin): one rule makes it.
    string(SHA1 rule ${header})
    string(SUBSTRING ${rule} 0 8 rule)
    set(rule embed_${name}_${rule})
    if(NOT TARGET ${rule})
        add_custom_command(OUTPUT ${header}
            COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${header} -DNAME=${name} -P ${WEIR_EMBED_SCRIPT}
            DEPENDS ${file} ${WEIR_EMBED_SCRIPT}
            COMMENT "Embedding ${name}" VERBATIM)
        add_custom_target(${rule} DEPENDS ${header})
    endif()
    add_dependencies(${target} ${rule})
    # With -iquote and not -I: a header's name must never stand in for one of the system's.
    target_compile_options(${target} PRIVATE "SHELL:-iquote \"${folder}\"")
endfunction()
