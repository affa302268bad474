# SPDX-License-Identifier: MIT
# How every file of weir itself is compiled and linked: language, warnings, hardening, sanitizers.
# Set for the folder, not through a target, so that none of it reaches who links to an installed weir.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)
include(CheckPIESupported)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
check_pie_supported(LANGUAGES C)

if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 12)
    message(WARNING "gcc ${CMAKE_C_COMPILER_VERSION} is older than what weir is tested with (12)")
elseif(CMAKE_C_COMPILER_ID MATCHES "Clang" AND CMAKE_C_COMPILER_VERSION VERSION_LESS 14)
    message(WARNING "clang ${CMAKE_C_COMPILER_VERSION} is older than what weir is tested with (14)")
endif()

add_compile_options(
    -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes
    -Wpointer-arith -Wcast-qual -Wformat=2 -Wundef -Wvla -Wwrite-strings)
if(WEIR_WERROR)
    add_compile_options(-Werror)
endif()

if(WEIR_DEBUG)
    add_compile_definitions(WEIR_DEBUG=1)
    # An optimised build with assertions is one with assertions.
    add_compile_options(-UNDEBUG)
endif()

# Add each flag of a list that this compiler knows.
function(weir_add_supported_options)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "WEIR_HAS${flag}" known)
        check_c_compiler_flag(${flag} ${known})
        if(${known})
            add_compile_options(${flag})
        endif()
    endforeach()
endfunction()

weir_add_supported_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
if(WEIR_SANITIZE)
    # Fortified functions hide what the sanitizers look at.
    add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
        -U_FORTIFY_SOURCE)
    add_link_options(-fsanitize=${WEIR_SANITIZE})
    # What gcc guesses from the flow of values, it guesses wrong in code that the sanitizers have rewritten.
    weir_add_supported_options(-Wno-format-truncation -Wno-format-overflow -Wno-maybe-uninitialized
        -Wno-stringop-overflow)
else()
    # Fortified functions need optimisation; level 3 (objects of a size known only at run time) needs a
    # recent compiler, and a C library that does not know it falls back to 2 by itself.
    add_compile_options($<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE>
        $<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-D_FORTIFY_SOURCE=3>)
endif()

if(WEIR_COVERAGE)
    # Atomic: workers are threads. The counts of a process are written when it ends by itself.
    add_compile_options(-O0 --coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()

if(WEIR_LTO)
    include(CheckIPOSupported)
    check_ipo_supported(LANGUAGES C)
    # Of what is loaded or run; archives stay plain objects, which any compiler's linker can read.
    set(WEIR_IPO INTERPROCEDURAL_OPTIMIZATION ON)
endif()
