/* SPDX-License-Identifier: MIT */
/* TLS by OpenSSL: one version, one cipher suite and one group are offered, so that all servers do the same work. The
 * server is not verified: what is measured is not the client. */
#include "channel.h"
#include "complain.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define CIPHER "ECDHE-ECDSA-AES128-GCM-SHA256"
#define GROUP  "P-256"

/* Several records are read from the socket at once: the load is to be cheap. */
enum { READ_AHEAD = 64 * 1024 };

static SSL_CTX *context;
static SSL_SESSION *session; /* to come back with; NULL: none yet, or none is wanted */
static bool comes_back;

/* Why OpenSSL did not do it. */
static int complain(const char *what)
{
    char text[256] = "nothing said";
    unsigned long code = ERR_get_error();
    if (code != 0) {
        ERR_error_string_n(code, text, sizeof text);
    } else if (errno != 0) {
        snprintf(text, sizeof text, "%s", strerror(errno));
    }
    ERR_clear_error();
    return bench_complain("%s: %s", what, text);
}

int channel_prepare(bool resume)
{
    static char group[] = GROUP; /* which a macro of OpenSSL takes without const */
    comes_back = resume;
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || !SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) ||
        !SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION) || !SSL_CTX_set_cipher_list(context, CIPHER) ||
        !SSL_CTX_set1_groups_list(context, group)) {
        return complain("OpenSSL cannot be set up");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* A server that ends the socket without close_notify has ended, as far as costs go. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
    return 0;
}

/* The handshake is over: it has to be of the kind that is measured. */
static int opened(struct channel *channel)
{
    SSL *ssl = channel->tls;
    channel->open = true;
    if (!comes_back) {
        return SSL_session_reused(ssl) ? bench_complain("a session was resumed that nobody asked for") : 0;
    }
    if (SSL_session_reused(ssl)) {
        return 0;
    }
    if (SSL_get_ex_data(ssl, 0) != NULL) {
        return bench_complain("the server does not resume sessions");
    }
    /* A copy: OpenSSL calls the session of a connection that ends without close_notify spent. */
    if (session == NULL) {
        session = SSL_SESSION_dup(SSL_get0_session(ssl));
    }
    return session != NULL ? 0 : complain("SSL_SESSION_dup");
}

/* Connections of the same moment begin before there is a session: those have none to be taken back by. */
static int come_back(SSL *ssl)
{
    if (session == NULL) {
        return 0;
    }
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    int done = copy != NULL && SSL_set_session(ssl, copy) && SSL_set_ex_data(ssl, 0, session);
    SSL_SESSION_free(copy);
    return done ? 0 : complain("SSL_set_session");
}

int channel_begin(struct channel *channel)
{
    int flags = fcntl(channel->fd, F_GETFL);
    int on = 1;
    /* The first bytes follow the handshake's last: they are not to wait until those are acknowledged. */
    setsockopt(channel->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return bench_complain("fcntl: %s", strerror(errno));
    }
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || !SSL_set_fd(ssl, channel->fd)) {
        SSL_free(ssl);
        return complain("SSL_new");
    }
    channel->tls = ssl;
    SSL_set_connect_state(ssl);
    return come_back(ssl) < 0 ? -1 : channel_go_on(channel);
}

/* What a client says in a handshake always fits into the socket: it waits to read, and for nothing else. */
int channel_go_on(struct channel *channel)
{
    SSL *ssl = channel->tls;
    errno = 0;
    int result = SSL_do_handshake(ssl);
    if (result == 1) {
        return opened(channel);
    }
    return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? 0 : complain("handshake");
}

ssize_t channel_send(struct channel *channel, const void *bytes, size_t size)
{
    SSL *ssl = channel->tls;
    size_t taken = 0;
    errno = 0;
    if (SSL_write_ex(ssl, bytes, size, &taken)) {
        return (ssize_t)taken;
    }
    if (SSL_get_error(ssl, 0) == SSL_ERROR_WANT_WRITE) {
        return CHANNEL_AGAIN;
    }
    complain("SSL_write");
    return CHANNEL_FAILED;
}

/* As many records as are there and fit. */
ssize_t channel_receive(struct channel *channel, void *bytes, size_t size)
{
    SSL *ssl = channel->tls;
    size_t done = 0;
    size_t part = 0;
    errno = 0;
    channel->more = true;
    while (done < size && SSL_read_ex(ssl, (char *)bytes + done, size - done, &part)) {
        done += part;
    }
    if (done == size) {
        return (ssize_t)done;
    }
    int error = SSL_get_error(ssl, 0);
    channel->more = error != SSL_ERROR_WANT_READ;
    if (done > 0) {
        return (ssize_t)done;
    }
    if (error == SSL_ERROR_WANT_READ) {
        return CHANNEL_AGAIN;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    complain("SSL_read");
    return CHANNEL_FAILED;
}

int channel_end(struct channel *channel)
{
    errno = 0;
    if (SSL_shutdown(channel->tls) < 0) {
        return complain("SSL_shutdown");
    }
    return shutdown(channel->fd, SHUT_WR) == 0 ? 0 : bench_complain("shutdown: %s", strerror(errno));
}

void channel_close(struct channel *channel)
{
    SSL_free(channel->tls);
    close(channel->fd);
}
