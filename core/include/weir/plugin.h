/* SPDX-License-Identifier: MIT */
/* Plugins: what a shared object exports to be one. For authors of transports, layers and handlers. */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv/version.h>

#include <weir/endpoint.h>
#include <weir/error.h>
#include <weir/export.h>
#include <weir/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A plugin of another major is refused; its minor may be lower: structs grow by appending, `size` says how far. */
#define WEIR_PLUGIN_ABI_MAJOR 1
#define WEIR_PLUGIN_ABI_MINOR 0

/* As <uv.h> declares it; that header itself wants more of the system than strict C11 shows. */
extern const char *uv_version_string(void);

typedef struct weir_transport weir_transport; /* weir/transport.h */
typedef struct weir_layer weir_layer;         /* weir/layer.h */
typedef struct weir_handler weir_handler;     /* weir/handler.h */

/*
 * Which libraries the plugin was built against and is bound to: the loader refuses one that would bring a second
 * libweir, libuv or Jansson into the process, or that wants a newer one than is there.
 */
typedef struct weir_plugin_stamps {
    const char *(*weir_version_address)(void);
    const char *(*uv_version_address)(void);
    json_t *(*jansson_address)(void);
    unsigned weir_version; /* major << 16 | minor << 8 | patch */
    unsigned uv_version;
    unsigned jansson_version;
} weir_plugin_stamps;

/*
 * The one symbol of a plugin: constant data. It has at most one transport, one layer and one handler, all under its
 * name.
 */
typedef struct weir_plugin {
    uint32_t abi_major; /* WEIR_PLUGIN_ABI_MAJOR */
    uint32_t abi_minor;
    size_t size;             /* sizeof(weir_plugin) */
    const char *name;        /* [a-z][a-z0-9-]*, as its file is called */
    const char *version;     /* of the plugin: "1.0.0" */
    const char *description; /* one line, for `weir plugins` */
    const char *schema;      /* the JSON Schema (draft 2020-12) of its options: an object's */
    weir_plugin_stamps stamps;

    /*
     * Per runtime state, so that there are no globals: `*instance` is handed to every configure of this runtime. May be
     * NULL. init: 0, or below 0 with a message in `*error` (may be left NULL). exit: with the runtime's end.
     */
    int (*init)(weir_runtime *runtime, void **instance, weir_error **error);
    void (*exit)(weir_runtime *runtime, void *instance);

    const weir_transport *transport;
    const weir_layer *layer;
    const weir_handler *handler;

    /* What the plugin offers C programs beyond the core: a table of its own, or NULL. May be NULL. */
    const void *(*interface)(const char *name, unsigned version);
} weir_plugin;

/* clang-format off */
#define WEIR_PLUGIN_STAMPS                                                                                           \
    { weir_version, uv_version_string, json_object,                                                                  \
      (WEIR_VERSION_MAJOR << 16 | WEIR_VERSION_MINOR << 8 | WEIR_VERSION_PATCH),                                     \
      (UV_VERSION_MAJOR << 16 | UV_VERSION_MINOR << 8 | UV_VERSION_PATCH),                                           \
      (JANSSON_MAJOR_VERSION << 16 | JANSSON_MINOR_VERSION << 8 | JANSSON_MICRO_VERSION) }

/* The first members of the initialiser: WEIR_PLUGIN(tcp) = { WEIR_PLUGIN_HEADER, .name = "tcp", ... }; */
#define WEIR_PLUGIN_HEADER                                                                                           \
    .abi_major = WEIR_PLUGIN_ABI_MAJOR, .abi_minor = WEIR_PLUGIN_ABI_MINOR, .size = sizeof(weir_plugin),             \
    .stamps = WEIR_PLUGIN_STAMPS

/* The symbol: weir_plugin_main in a shared object, weir_plugin_NAME where WEIR_PLUGIN_STATIC is defined. */
#ifdef WEIR_PLUGIN_STATIC
#define WEIR_PLUGIN(identifier)                                                                                      \
    WEIR_EXPORT extern const weir_plugin weir_plugin_##identifier;                                                   \
    const weir_plugin weir_plugin_##identifier
#else
#define WEIR_PLUGIN(identifier)                                                                                      \
    WEIR_EXPORT extern const weir_plugin weir_plugin_main;                                                           \
    const weir_plugin weir_plugin_main
#endif
/* clang-format on */

/* One that could be used, or a file that looks like one: for `weir plugins`. Texts are valid during the call. */
typedef struct weir_plugin_info {
    const char *name;          /* what it would be asked for by; NULL: `path` is a folder that cannot be read */
    const char *path;          /* NULL: it is linked into the program */
    const weir_plugin *plugin; /* NULL: it cannot be used */
    const char *kinds;         /* "transport, layer"; "" where it has neither, or cannot be used */
    const char *reason;        /* why it cannot be used, in one line that begins with its path; NULL: it can */
} weir_plugin_info;

/*
 * Every plugin of the runtime, in the order in which they came to it, and then what every folder that is searched
 * holds, by folder and name: one that another one of an earlier folder hides is there with that reason, the same
 * file once more (by a link, or because its folder is given by two names) is not. The files are loaded into the
 * process and checked as weir_runtime_load_plugin does it, but for their init, which is not called: nothing is started.
 * `visit` may not load or register plugins. 0, UV_EINVAL, UV_ENOMEM (some were not visited then), UV_ECANCELED (the
 * runtime is ending).
 */
WEIR_EXPORT int weir_runtime_each_plugin(weir_runtime *runtime, void (*visit)(const weir_plugin_info *info, void *arg),
                                         void *arg);

/*
 * Is there a host among what a layer is to connect to? Of an endpoint inside the options (weir_configure_endpoint)
 * alone.
 */
typedef enum weir_hostless {
    WEIR_HOST_UNKNOWN,   /* there may be one */
    WEIR_HOST_NONE,      /* right below is a transport whose address is a path */
    WEIR_HOST_OF_A_LAYER /* the transport is such a one, and between are layers, which may know one */
} weir_hostless;

/*
 * What a configure is given. It reads and checks everything its options name (files, tables), makes no socket call,
 * starts nothing, and makes an immutable context, which the core counts and hands to `context_free` in the end. `weir
 * check` runs it just as `weir run` does.
 */
typedef struct weir_configure weir_configure;
struct weir_configure {
    size_t size;           /* sizeof(weir_configure) */
    weir_runtime *runtime; /* whose context it is */
    void *instance;        /* of init */
    /* An object, valid by the plugin's schema, defaults filled in; borrowed: what is secret in it is overwritten after
     * the call. */
    json_t *options;
    weir_role role;
    const char *folder; /* what relative files are relative to; never NULL */
    /* A transport's: 1 where there is a descriptor instead of an address. Then the schema was not asked, no default is
     * filled in, and what is absent stays as the descriptor has it. */
    int adopts;
    const void *extra; /* what weir_layer_configure was given beside the options; otherwise NULL */
    /* The options as they were written: secrets as {"file"} or {"env"}, no defaults. What a layer keeps in order to
     * read everything again (weir_layer_configure_again). Borrowed; NULL: none. */
    const json_t *given;
    /* 1: members that the schema found fault with, and secrets that could not be read, have been told and are not among
     * the options, nor what cannot be without them; the others are valid. A member that was taken out and has a default
     * is there with that. What is wrong with those that are there is to be told; of what is missing nobody knows
     * whether it was meant, and a context that is made is not used, but freed. */
    int partial;
    weir_hostless hostless; /* a layer's */
};

/*
 * Reports a fault of the options: `pointer` (JSON pointer inside the options, "" the whole) and what is wrong,
 * expected, to be done. Any number; a configure that reported one returns WEIR_EINVALID_CONFIG.
 */
WEIR_EXPORT void weir_configure_fault(weir_configure *configure, const char *pointer, const char *format, ...)
    WEIR_PRINTF(3, 4);

/* A warning, in the same form; the configuration stays valid. */
WEIR_EXPORT void weir_configure_warning(weir_configure *configure, const char *pointer, const char *format, ...)
    WEIR_PRINTF(3, 4);

/*
 * An endpoint inside the options (forward's `to`): `value` stands at `pointer`. NULL when it is invalid; the faults are
 * reported then. The caller releases it.
 */
WEIR_EXPORT weir_endpoint *weir_configure_endpoint(weir_configure *configure, const char *pointer, json_t *value,
                                                   weir_role role);

/*
 * An option of the format weir-duration in milliseconds, or of weir-size in bytes: what stands under `name` in the
 * options, a number or a text ("10s", "64KiB"). `otherwise` when it is absent, or no such value (which the schema rules
 * out).
 */
WEIR_EXPORT uint64_t weir_configure_duration(const weir_configure *configure, const char *name, uint64_t otherwise);
WEIR_EXPORT uint64_t weir_configure_size(const weir_configure *configure, const char *name, uint64_t otherwise);

/* `path` made absolute by the folder, in new memory (weir_free). NULL: no memory. */
WEIR_EXPORT char *weir_configure_path(const weir_configure *configure, const char *path);

/* What a text was to be the name of. */
typedef enum weir_named {
    WEIR_NAMED_KEY,     /* a file that holds a key or a certificate */
    WEIR_NAMED_SECRET,  /* a file that holds any other secret, which may be a phrase: a passphrase, say */
    WEIR_NAMED_VARIABLE /* a variable of the environment that holds either */
} weir_named;

/*
 * May a fault show this text, by which there is no file or variable? Whoever wrote the secret itself in the place of
 * its file's name is not to find it in a log. 0: it could be the secret: PEM or several lines; 32 and more
 * hexadecimal digits and nothing else, but for blanks, ':', '-', '_', '.', "0x" and the like between them; 40 and
 * more letters of base64 or base64url and nothing else, but for blanks, ':' and the like, of any kind or, when there
 * is a '/' among them and no '=' at the end, of each kind (A to Z, a to z, digits); in the place of a phrase what
 * has blanks in it; as a variable what is not written as those are by custom (A to Z, digits, '_'), or is
 * hexadecimal. 1: it can be a name: anything else, and what would be hidden but stands in a folder that there is
 * ("certs/" in front), or is there itself; a variable that is set.
 */
WEIR_EXPORT int weir_configure_may_show(const weir_configure *configure, weir_named named, const char *text);

#ifdef __cplusplus
}
#endif
#endif
