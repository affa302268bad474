# SPDX-License-Identifier: MIT
# Run by weir_embed_text: INPUT becomes OUTPUT, a header that defines NAME. Character by character, because
# C promises no string literal longer than 4095 bytes, not even one that is put together from shorter ones.
file(READ ${INPUT} bytes HEX)
get_filename_component(source ${INPUT} NAME)
string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
string(TOUPPER "${NAME}_H" guard)
file(WRITE ${OUTPUT} "/* Generated from ${source}: change that file, not this one. */
#ifndef ${guard}
#define ${guard}

static const char ${NAME}[] = {
${bytes}
'\\0'};

#endif
")
