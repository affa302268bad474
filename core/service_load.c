/* SPDX-License-Identifier: MIT */
/* Service files: checked against the schema, every component configured, every fault told with its place. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "blocklist_use.h"
#include "endpoint_build.h"
#include "memory.h"
#include "service_private.h"
#include "service_schema.h"
#include "stream_schema.h"

#define SCHEMA_NAME "service.schema.json"

/* ---- the schema ---- */

/* The service's schema refers to the stream's by its name, so that one is put inside of it. */
static json_t *bundled_schema(void)
{
    json_t *service = json_loadb(service_schema, sizeof(service_schema) - 1, JSON_REJECT_DUPLICATES, NULL);
    json_t *stream = json_loadb(stream_schema, sizeof(stream_schema) - 1, JSON_REJECT_DUPLICATES, NULL);
    if (!service || !stream || json_object_set(json_object_get(service, "$defs"), "stream", stream) != 0) {
        json_decref(service);
        service = NULL;
    }
    json_decref(stream);
    return service;
}

static weir__schema *compile_schema(weir__faults *faults)
{
    json_t *bundle = bundled_schema();
    weir__schema *schema = bundle ? weir__schema_compile(bundle, SCHEMA_NAME, faults) : NULL;
    json_decref(bundle);
    return schema;
}

/* More servers than the schema lets a file have: they are not looked at one by one. */
static bool too_many(const weir__schema *schema, const json_t *servers)
{
    const json_t *properties = json_object_get(weir__schema_json(schema), "properties");
    const json_t *most = json_object_get(json_object_get(properties, "servers"), "maxItems");
    return json_array_size(servers) > (size_t)json_integer_value(most);
}

/* The defaults that the schema gives a server's streams in place of the stream's own. */
static void apply_server_defaults(const weir__schema *schema, weir_stream_options *options)
{
    const json_t *server = json_object_get(json_object_get(weir__schema_json(schema), "$defs"), "server");
    json_t *properties = json_object_get(server, "properties"), *property;
    const char *name;
    json_t *defaults = json_object();
    json_object_foreach(properties, name, property)
    {
        json_t *value = json_object_get(property, "default");
        if (value)
            json_object_set(defaults, name, value);
    }
    weir__stream_options_from_json(defaults, options);
    json_decref(defaults);
}

/* ---- parts of the file ---- */

/* PATH, or FOLDER/PATH. */
static char *beside(const char *folder, const char *path)
{
    size_t size = strlen(folder) + 1 + strlen(path) + 1;
    char *whole = weir__malloc(size);
    if (whole && path[0] == '/')
        memcpy(whole, path, strlen(path) + 1);
    else if (whole)
        snprintf(whole, size, "%s/%s", folder, path);
    return whole;
}

static int add_plugin_folder(weir__place *place, const char *folder, const char *pointer)
{
    struct stat about;
    char *absolute = beside(place->folder, folder);
    if (!absolute)
        return weir__place_out_of_memory(place);
    int status = 0;
    if (stat(absolute, &about) != 0) {
        int code = uv_translate_sys_error(errno);
        weir__place_faultf(place, WEIR_EINVALID_CONFIG, pointer, "the folder cannot be used: %s (%s)",
                           weir_error_text(code), weir_error_name(code));
        status = WEIR_EINVALID_CONFIG;
    } else if (!S_ISDIR(about.st_mode)) {
        weir__place_faultf(place, WEIR_EINVALID_CONFIG, pointer, "not a folder");
        status = WEIR_EINVALID_CONFIG;
    } else if (weir_runtime_add_plugin_path(place->runtime, absolute) != 0) {
        status = weir__place_out_of_memory(place);
    }
    weir__free(absolute);
    return status;
}

static int add_plugin_folders(weir__place *place, const json_t *root)
{
    int result = 0;
    size_t index;
    json_t *folder;
    json_array_foreach(json_object_get(json_object_get(root, "plugins"), "path"), index, folder)
    {
        if (!json_is_string(folder) || !json_string_length(folder))
            continue;
        char *pointer = weir__place_element(place, "/plugins/path", index);
        int status = pointer ? add_plugin_folder(place, json_string_value(folder), pointer) : UV_ENOMEM;
        weir__free(pointer);
        result = result ? result : status;
    }
    return result;
}

static void fault_of_name(weir__place *place, const char *name, size_t index, size_t first)
{
    char pointer[64];
    snprintf(pointer, sizeof(pointer), "/servers/%zu/name", index);
    weir__message message;
    weir__message_start(&message);
    weir__message_quote(&message, name, strlen(name));
    weir__message_add(&message, " is the name of /servers/%zu already; servers are called differently", first);
    weir__place_fault(place, WEIR_EINVALID_CONFIG, pointer, false, &message);
}

static int check_names(weir__place *place, const json_t *servers)
{
    size_t index;
    json_t *server;
    json_t *firsts = json_object(); /* names with the number of the server that has it first */
    int status = firsts ? 0 : UV_ENOMEM;
    json_array_foreach(servers, index, server)
    {
        const char *name = json_string_value(json_object_get(server, "name"));
        const json_t *first = name ? json_object_get(firsts, name) : NULL;
        if (first)
            fault_of_name(place, name, index, (size_t)json_integer_value(first));
        else if (name && status == 0 && json_object_set_new(firsts, name, json_integer((json_int_t)index)) != 0)
            status = UV_ENOMEM;
    }
    json_decref(firsts);
    return status == 0 ? 0 : weir__place_out_of_memory(place);
}

/* ---- servers ---- */

typedef struct {
    weir__place *place;
    const weir__schema *schema;
    const weir__service_plan *plan;
    const weir__inherited *inherited;
} loading;

static int load_listen(const loading *load, json_t *value, const char *outer, size_t index, weir__site_server *server)
{
    weir__wishes wishes = {.reuse_port = load->plan->workers > 1,
                           .port = load->inherited ? load->inherited[index].port : 0};
    if (!json_is_string(value) && !json_is_object(value))
        return WEIR_EINVALID_CONFIG; /* the schema has said so */
    char *pointer = weir__place_member(load->place, outer, "listen");
    if (!pointer)
        return UV_ENOMEM;
    int status = weir__endpoint_build(load->place, value, WEIR_SERVER, pointer, &wishes, &server->endpoint);
    server->reuses_port = wishes.reuses_port;
    if (status == 0 && load->plan->workers > 1 && !wishes.reuses_port &&
        !server->endpoint->transport.plugin->transport->export_fd) {
        weir__place_faultf(load->place, WEIR_EINVALID_CONFIG, pointer,
                           "the transport %s cannot be shared by several workers; use one worker",
                           weir_endpoint_transport(server->endpoint));
        status = WEIR_EINVALID_CONFIG;
    }
    weir__free(pointer);
    return status;
}

static int load_handler(const loading *load, json_t *value, const char *outer, weir__site_server *server)
{
    weir__place *place = load->place;
    const weir__loaded *found;
    const char *name;
    json_t *options;
    char *options_pointer = NULL;
    if (!json_is_string(value) && !json_is_object(value))
        return WEIR_EINVALID_CONFIG;
    char *pointer = weir__place_member(place, outer, "handler");
    int status = pointer ? weir__component_read(place, value, pointer, "a handler", &name, &options, &options_pointer)
                         : UV_ENOMEM;
    if (status == 0)
        status = weir__component_find(place, WEIR__HANDLER, name, options_pointer, options != NULL, &found);
    if (status == 0)
        status =
            weir__component_make(place, WEIR__HANDLER, found, options, WEIR_SERVER, options_pointer, &server->handler);
    weir__free(options_pointer);
    weir__free(pointer);
    return status;
}

/* Rules that are none the schema has told of: then there is no list. */
static int load_block_list(const loading *load, const json_t *value, weir__site_server *server)
{
    const json_t *rules = json_object_get(value, WEIR__BLOCK_LIST);
    int status = rules ? weir__blocklist_of_json(rules, &server->block_list) : 0;
    return status == UV_ENOMEM ? weir__place_out_of_memory(load->place) : status;
}

/* Each of these wins over what came before: the service's defaults, the handler's needs, the file. */
static void load_options(const loading *load, const json_t *value, weir__site_server *server)
{
    const weir_handler *handler = server->handler.plugin->handler;
    weir_server_options_init(&server->options);
    apply_server_defaults(load->schema, &server->options.stream);
    if (handler->prepare)
        handler->prepare(server->handler.context, &server->options);
    weir__stream_options_from_json(value, &server->options.stream);
    const json_t *connections = json_object_get(value, "maxConnections");
    if (connections)
        server->options.max_connections = json_integer_value(connections);
    if (server->block_list)
        server->options.block_list = server->block_list;
}

static int load_server(const loading *load, const json_t *value, size_t index, weir__site_server *server)
{
    const char *name = json_string_value(json_object_get(value, "name"));
    char *pointer = weir__place_element(load->place, "/servers", index);
    if (!pointer)
        return UV_ENOMEM;
    /* Both, whatever the first one says: all faults are wanted. */
    int listen = load_listen(load, json_object_get(value, "listen"), pointer, index, server);
    int handler = load_handler(load, json_object_get(value, "handler"), pointer, server);
    weir__free(pointer);
    if (listen != 0 || handler != 0)
        return listen == UV_ENOMEM || handler == UV_ENOMEM ? UV_ENOMEM : WEIR_EINVALID_CONFIG;
    server->name = weir__strdup(name ? name : "");
    if (!server->name)
        return weir__place_out_of_memory(load->place);
    int status = load_block_list(load, value, server);
    if (status == 0)
        load_options(load, value, server);
    return status == 0 || status == UV_ENOMEM ? status : WEIR_EINVALID_CONFIG;
}

static int load_servers(const loading *load, const json_t *servers, weir__site *site)
{
    int result = 0;
    size_t index;
    json_t *value;
    site->servers = weir__calloc(json_array_size(servers), sizeof(weir__site_server));
    if (!site->servers)
        return weir__place_out_of_memory(load->place);
    json_array_foreach(servers, index, value)
    {
        site->servers[index].site = site;
        site->servers[index].original = index;
        site->count = site->of_file = index + 1;
        int status =
            json_is_object(value) ? load_server(load, value, index, &site->servers[index]) : WEIR_EINVALID_CONFIG;
        if (result == 0 || status == UV_ENOMEM)
            result = status;
    }
    return result;
}

/* ---- the file ---- */

static void read_plan(const json_t *root, const weir__schema *schema, weir__service_plan *plan)
{
    weir__schema_member member;
    const json_t *workers = json_object_get(root, "workers"), *grace = json_object_get(root, "shutdownGrace");
    if (!workers && weir__schema_property(schema, "workers", &member) == 0)
        workers = member.default_value;
    if (!grace && weir__schema_property(schema, "shutdownGrace", &member) == 0)
        grace = member.default_value;
    json_int_t count = json_integer_value(workers);
    plan->workers = count >= 1 && count <= 64 ? (unsigned)count : 1;
    plan->grace = 0;
    weir__duration_of(grace, &plan->grace);
}

int weir__site_load(weir__place *place, const weir__inherited *inherited, weir__service_plan *plan, weir__site **made)
{
    json_t *root = place->document->root;
    weir__schema *schema = compile_schema(place->faults);
    weir__site *site = weir__calloc(1, sizeof(*site));
    *made = NULL;
    int status = schema && site ? weir__component_check(place, schema, root, "") : weir__place_out_of_memory(place);
    if (site && status != UV_ENOMEM) {
        json_t *servers = json_object_get(root, "servers");
        read_plan(root, schema, plan);
        loading load = {.place = place, .schema = schema, .plan = plan, .inherited = inherited};
        site->runtime = place->runtime;
        int folders = add_plugin_folders(place, root);
        int loaded = 0;
        if (json_is_array(servers) && !too_many(schema, servers)) {
            int names = check_names(place, servers);
            loaded = names ? names : load_servers(&load, servers, site);
        }
        status = status ? status : folders ? folders : loaded ? loaded : place->code;
    }
    weir__schema_free(schema);
    if (status == 0)
        *made = site;
    else
        weir__site_free(site);
    return place->faults->out_of_memory ? UV_ENOMEM : status;
}

/* ---- telling ---- */

typedef struct {
    weir_fault_function function;
    void *arg;
} telling;

static int tell(const telling *to, weir_fault *fault)
{
    size_t room = strlen(fault->file) + strlen(fault->pointer) + strlen(fault->message) + 64;
    char *text = weir__malloc(room);
    if (!text)
        return UV_ENOMEM;
    char place[32] = "";
    weir__message pointer;
    weir__message_start(&pointer);
    weir__message_plain(&pointer, fault->pointer, strlen(fault->pointer));
    if (fault->line)
        snprintf(place, sizeof(place), "%u:%u:", fault->line, fault->column);
    snprintf(text, room, "%s%s%s%s%s%s%s%s", fault->file, fault->file[0] ? ":" : "", place,
             fault->file[0] || place[0] ? " " : "", fault->warning ? "warning: " : "", pointer.text,
             pointer.length ? ": " : "", fault->message);
    fault->text = text;
    to->function(fault, to->arg);
    weir__free(text);
    return 0;
}

static int tell_faults(const telling *to, weir__faults *faults, int warning)
{
    int status = 0;
    if (!to->function)
        return 0;
    weir__faults_sort(faults);
    for (size_t i = 0; i < faults->count && status == 0; i++) {
        const weir__fault *item = &faults->items[i];
        weir_fault fault = {.file = item->file,
                            .line = item->line,
                            .column = item->column,
                            .pointer = item->pointer,
                            .message = item->message,
                            .warning = warning};
        status = tell(to, &fault);
    }
    if (faults->more && status == 0) {
        char message[64];
        snprintf(message, sizeof(message), "and %zu more fault%s", faults->more, faults->more == 1 ? "" : "s");
        weir_fault fault = {.file = faults->items[0].file, .pointer = "", .message = message, .warning = warning};
        status = tell(to, &fault);
    }
    return status;
}

/* ---- generations ---- */

static int load(weir__generation *generation, const char *path, weir__faults *faults, weir__faults *warnings)
{
    const weir_service *service = generation->service;
    generation->document = weir__document_load_as(path, service->file, faults);
    if (!generation->document)
        return faults->out_of_memory ? UV_ENOMEM : WEIR_EINVALID_CONFIG;
    weir__place place = {.runtime = service->runtime,
                         .folder = service->folder,
                         .document = generation->document,
                         .faults = faults,
                         .warnings = warnings};
    int status = weir__site_load(&place, NULL, &generation->plan, &generation->site);
    if (status != 0)
        return status == UV_ENOMEM ? status : WEIR_EINVALID_CONFIG;
    generation->failures = weir__calloc(generation->site->of_file, sizeof(*generation->failures));
    return generation->failures ? 0 : UV_ENOMEM;
}

int weir__generation_load(weir_service *service, const char *path, weir_fault_function fault, void *arg,
                          weir__generation **made)
{
    telling to = {.function = fault, .arg = arg};
    weir__faults faults = {0}, warnings = {0};
    weir__generation *generation = weir__calloc(1, sizeof(*generation));
    if (!generation)
        return UV_ENOMEM;
    generation->service = service;
    int status = load(generation, path, &faults, &warnings);
    int told = tell_faults(&to, &faults, 0);
    int warned = tell_faults(&to, &warnings, 1);
    if (status == WEIR_EINVALID_CONFIG || status == 0)
        status = told ? told : warned ? warned : status;
    if (status == 0)
        *made = generation;
    else
        weir__generation_free(generation);
    weir__faults_free(&faults);
    weir__faults_free(&warnings);
    return status;
}

/* ---- the public way ---- */

static char *folder_of(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (!slash)
        return weir__folder_absolute(NULL);
    char *folder = weir__strndup(file, slash == file ? 1 : (size_t)(slash - file));
    char *absolute = folder ? weir__folder_absolute(folder) : NULL;
    weir__free(folder);
    return absolute;
}

static void free_service(weir_service *service)
{
    weir__generation_free(service->current);
    weir__free(service->folder);
    weir__free(service->file);
    weir__free(service);
}

int weir_service_load(weir_runtime *runtime, const char *file, weir_fault_function fault, void *arg,
                      weir_service **service)
{
    if (!runtime || !file || !*file || !service)
        return UV_EINVAL;
    *service = NULL;
    weir_service *made = weir__calloc(1, sizeof(*made));
    if (!made)
        return UV_ENOMEM;
    made->runtime = runtime;
    made->file = weir__strdup(file);
    made->folder = folder_of(file);
    int status = made->file && made->folder ? weir__generation_load(made, file, fault, arg, &made->current) : UV_ENOMEM;
    if (status == 0)
        *service = made;
    else
        free_service(made);
    return status;
}

int weir_service_free(weir_service *service)
{
    if (!service)
        return 0;
    if (service->state != WEIR__SERVICE_IDLE)
        return UV_EBUSY;
    free_service(service);
    return 0;
}
