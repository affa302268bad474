/* SPDX-License-Identifier: MIT */
/* Reads a shared object's headers by pread, never by mmap: a file may be shorter than it says. */
#define _GNU_SOURCE

#include "plugin_elf.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "memory.h"

typedef struct {
    int fd;
    uint64_t size;
    weir__message *why;
    ElfW(Ehdr) header;
    ElfW(Phdr) * segments; /* header.e_phnum of them */
} elf_file;

/* Of the object that this code is in; the linker makes it. Its machine is the one that plugins must be for. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));

static const struct {
    unsigned number;
    const char *name;
} machines[] = {
    {EM_386, "x86"},    {EM_X86_64, "x86-64"}, {EM_ARM, "ARM"},      {EM_AARCH64, "AArch64"}, {EM_PPC64, "PPC"},
    {EM_S390, "S/390"}, {EM_MIPS, "MIPS"},     {EM_RISCV, "RISC-V"}, {258, "LoongArch"}, /* younger than some <elf.h> */
};

static const char *machine_name(unsigned number)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i].number == number)
            return machines[i].name;
    return "an unknown machine";
}

static int wrong(elf_file *file, const char *text)
{
    weir__message_add(file->why, "%s", text);
    return UV_EINVAL;
}

static int cut_off(elf_file *file, const char *what, uint64_t end)
{
    weir__message_add(file->why, "is cut off: its %s reach to byte %llu and it has %llu bytes; copy or build it again",
                      what, (unsigned long long)end, (unsigned long long)file->size);
    return UV_EINVAL;
}

static bool inside(const elf_file *file, uint64_t offset, uint64_t length)
{
    return offset <= file->size && length <= file->size - offset;
}

/* A part that was seen to lie inside; it may have been cut off since. */
static int read_part(elf_file *file, void *part, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got = pread(file->fd, (char *)part + done, length - done, (off_t)(offset + done));
        if (got < 0 && errno != EINTR)
            return -errno;
        if (got == 0)
            return wrong(file, "became shorter while it was read; try again");
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

static int check_header(elf_file *file)
{
    const ElfW(Ehdr) *header = &file->header;
    unsigned char native = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    if (file->size < EI_NIDENT || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return wrong(file, file->size == 0 ? "is empty" : "is no shared object: it is no ELF file");
    if (header->e_ident[EI_CLASS] != native) {
        weir__message_add(file->why, "is built for %d bits, this program has %d",
                          header->e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32, (int)sizeof(void *) * 8);
        return UV_EINVAL;
    }
    if (header->e_ident[EI_DATA] != (__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
        return wrong(file, "is built for the other byte order");
    if (file->size < sizeof(*header))
        return cut_off(file, "headers", sizeof(*header));
    if (&__ehdr_start && header->e_machine != __ehdr_start.e_machine) {
        weir__message_add(file->why, "is built for another machine: %s (%u), this program is for %s (%u)",
                          machine_name(header->e_machine), (unsigned)header->e_machine,
                          machine_name(__ehdr_start.e_machine), (unsigned)__ehdr_start.e_machine);
        return UV_EINVAL;
    }
    if (header->e_type != ET_DYN)
        return wrong(file, header->e_type == ET_REL    ? "is an object file: link it with -shared"
                           : header->e_type == ET_EXEC ? "is a program, not a shared object"
                                                       : "is no shared object");
    return 0;
}

static int read_segments(elf_file *file)
{
    uint64_t length = (uint64_t)file->header.e_phnum * sizeof(ElfW(Phdr));
    if (file->header.e_phnum == 0 || file->header.e_phnum == PN_XNUM || file->header.e_phentsize != sizeof(ElfW(Phdr)))
        return wrong(file, "is damaged: its program headers make no sense");
    if (!inside(file, file->header.e_phoff, length))
        return cut_off(file, "program headers", file->header.e_phoff + length);
    file->segments = weir__malloc((size_t)length);
    if (!file->segments)
        return UV_ENOMEM;
    return read_part(file, file->segments, (size_t)length, file->header.e_phoff);
}

/* The loaded segment that holds `length` bytes at an address, or NULL. */
static const ElfW(Phdr) * segment_at(const elf_file *file, uint64_t address, uint64_t length)
{
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &file->segments[i];
        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            address - segment->p_vaddr <= segment->p_filesz &&
            length <= segment->p_filesz - (address - segment->p_vaddr))
            return segment;
    }
    return NULL;
}

static int check_segments(elf_file *file)
{
    const ElfW(Phdr) *dynamic = NULL;
    uint64_t end = 0;
    for (size_t i = 0; i < file->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &file->segments[i];
        if (segment->p_type == PT_NULL)
            continue;
        if (segment->p_type == PT_DYNAMIC)
            dynamic = segment;
        if ((segment->p_type == PT_LOAD && segment->p_filesz > segment->p_memsz) ||
            segment->p_filesz > UINT64_MAX - segment->p_offset)
            return wrong(file, "is damaged: its program headers make no sense");
        /* One without bytes of its own may stand anywhere. */
        if (segment->p_filesz > 0 && segment->p_offset + segment->p_filesz > end)
            end = segment->p_offset + segment->p_filesz;
    }
    if (end > file->size)
        return cut_off(file, "segments", end);
    if (!dynamic || !segment_at(file, dynamic->p_vaddr, dynamic->p_filesz))
        return wrong(file, "is damaged: it has no dynamic section to load it by");
    return 0;
}

/* ---- sections: what the linker needs not, but a cut-off file lacks first, and where the symbol is found ---- */

/* The value of a symbol that was found: its first bytes, as they stand in the file. */
static int read_head(elf_file *file, const ElfW(Sym) * symbol, weir__plugin_head *head)
{
    const ElfW(Phdr) *segment = segment_at(file, symbol->st_value, sizeof(*head));
    if (ELF32_ST_TYPE(symbol->st_info) != STT_OBJECT || symbol->st_size < sizeof(*head) || !segment)
        return wrong(file, "is no weir plugin: its " WEIR__PLUGIN_SYMBOL " is no weir_plugin");
    return read_part(file, head, sizeof(*head), segment->p_offset + (symbol->st_value - segment->p_vaddr));
}

static int has_plugin_name(elf_file *file, const ElfW(Shdr) * names, const ElfW(Sym) * symbol, bool *same)
{
    char name[sizeof(WEIR__PLUGIN_SYMBOL)];
    *same = false;
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_name >= names->sh_size ||
        names->sh_size - symbol->st_name < sizeof(name))
        return 0;
    int status = read_part(file, name, sizeof(name), names->sh_offset + symbol->st_name);
    *same = status == 0 && memcmp(name, WEIR__PLUGIN_SYMBOL, sizeof(name)) == 0;
    return status;
}

static int find_symbol(elf_file *file, const ElfW(Shdr) * symbols, const ElfW(Shdr) * names, weir__plugin_head *head)
{
    ElfW(Sym) some[64];
    size_t at = 0, count = (size_t)(symbols->sh_size / sizeof(some[0]));
    while (at < count) {
        size_t part = count - at < 64 ? count - at : 64;
        int status = read_part(file, some, part * sizeof(some[0]), symbols->sh_offset + at * sizeof(some[0]));
        bool same = false;
        for (size_t i = 0; i < part && status == 0; i++) {
            status = has_plugin_name(file, names, &some[i], &same);
            if (same)
                return read_head(file, &some[i], head);
        }
        if (status != 0)
            return status;
        at += part;
    }
    return wrong(file, "is no weir plugin: it exports no " WEIR__PLUGIN_SYMBOL " (see WEIR_PLUGIN in weir/plugin.h)");
}

static int check_sections(elf_file *file, const ElfW(Shdr) * sections, weir__plugin_head *head, bool *head_known)
{
    const ElfW(Shdr) *symbols = NULL;
    for (size_t i = 0; i < file->header.e_shnum; i++) {
        const ElfW(Shdr) *section = &sections[i];
        if (section->sh_type == SHT_NULL || section->sh_type == SHT_NOBITS)
            continue;
        if (!inside(file, section->sh_offset, section->sh_size))
            return cut_off(file, "sections", section->sh_offset + section->sh_size);
        if (section->sh_type == SHT_DYNSYM)
            symbols = section;
    }
    /* Without a table of symbols in the sections the dynamic linker will tell. */
    if (!symbols || symbols->sh_entsize != sizeof(ElfW(Sym)) || symbols->sh_link >= file->header.e_shnum ||
        sections[symbols->sh_link].sh_type != SHT_STRTAB)
        return 0;
    int status = find_symbol(file, symbols, &sections[symbols->sh_link], head);
    *head_known = status == 0;
    return status;
}

static int read_sections(elf_file *file, weir__plugin_head *head, bool *head_known)
{
    uint64_t length = (uint64_t)file->header.e_shnum * sizeof(ElfW(Shdr));
    if (file->header.e_shoff == 0 || file->header.e_shnum == 0)
        return 0;
    if (file->header.e_shentsize != sizeof(ElfW(Shdr)))
        return wrong(file, "is damaged: its section headers make no sense");
    if (!inside(file, file->header.e_shoff, length))
        return cut_off(file, "section headers", file->header.e_shoff + length);
    ElfW(Shdr) *sections = weir__malloc((size_t)length);
    if (!sections)
        return UV_ENOMEM;
    int status = read_part(file, sections, (size_t)length, file->header.e_shoff);
    if (status == 0)
        status = check_sections(file, sections, head, head_known);
    weir__free(sections);
    return status;
}

int weir__elf_check(int fd, uint64_t size, weir__plugin_head *head, bool *head_known, weir__message *why)
{
    elf_file file = {.fd = fd, .size = size, .why = why};
    size_t length = size < sizeof(file.header) ? (size_t)size : sizeof(file.header);
    *head_known = false;
    int status = read_part(&file, &file.header, length, 0);
    if (status == 0)
        status = check_header(&file);
    if (status == 0)
        status = read_segments(&file);
    if (status == 0)
        status = check_segments(&file);
    if (status == 0)
        status = read_sections(&file, head, head_known);
    weir__free(file.segments);
    return status;
}
