# SPDX-License-Identifier: MIT
# What this engine stands on: sets WEIR_TLS_LIBS, or leaves it empty where mbedTLS is not there.
set(WEIR_TLS_LIBS)
set(WEIR_TLS_NEEDS "mbedTLS (libmbedtls-dev)")
find_path(WEIR_MBEDTLS_HEADERS mbedtls/ssl.h)
find_library(WEIR_MBEDTLS mbedtls)
find_library(WEIR_MBEDX509 mbedx509)
find_library(WEIR_MBEDCRYPTO mbedcrypto)
mark_as_advanced(WEIR_MBEDTLS_HEADERS WEIR_MBEDTLS WEIR_MBEDX509 WEIR_MBEDCRYPTO)
if(WEIR_MBEDTLS_HEADERS AND WEIR_MBEDTLS AND WEIR_MBEDX509 AND WEIR_MBEDCRYPTO)
    # An interface, so that a library in a place of its own brings its headers along; installed beside libweir's archives.
    add_library(weir_mbedtls INTERFACE)
    target_link_libraries(weir_mbedtls INTERFACE ${WEIR_MBEDTLS} ${WEIR_MBEDX509} ${WEIR_MBEDCRYPTO})
    target_include_directories(weir_mbedtls SYSTEM INTERFACE $<BUILD_INTERFACE:${WEIR_MBEDTLS_HEADERS}>)
    install(TARGETS weir_mbedtls EXPORT weirTargets)
    set(WEIR_TLS_LIBS weir_mbedtls)
endif()
