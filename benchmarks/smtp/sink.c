/* A mail server that takes everything and keeps nothing, so that only the sender's speed is measured.
 *
 *     cc -O2 -o sink sink.c && ./sink PORT [DELAY_MS [CHUNKING]]
 *     cc -O2 -DTLS -o sink sink.c -lssl -lcrypto && ./sink PORT DELAY_MS CHUNKING CERTIFICATE KEY
 *
 * One thread, epoll. Each reply leaves DELAY_MS after its command came, as over a line of that round trip. It announces
 * PIPELINING, CHUNKING when that is 1, and STARTTLS when it has a certificate. On SIGTERM it prints how many messages it
 * took. Port 0 picks one and prints it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

enum { BUFFER = 1 << 18, PENDING = 1 << 13, MOST = 65536, LATER = 256 };

struct later { double at; int length; char text[120]; };

struct peer {
    int fd, length, in_data, out_length;
#ifdef TLS
    SSL *ssl;
    int shaking;            /* hands */
#endif
    long chunk;             /* bytes of a chunk still to come */
    unsigned first, last;   /* of the replies that wait for their time */
    struct later later[LATER];
    char in[BUFFER], out[PENDING];
};

static struct peer *peers[MOST];
static long taken;
static double delay;
static int chunking;
#ifdef TLS
static SSL_CTX *tls;
#endif
static volatile sig_atomic_t over;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void finish(int number) { (void)number; over = 1; }

static void flush(struct peer *p) {
#ifdef TLS
    if (p->ssl && !p->shaking) {
        if (p->out_length) SSL_write(p->ssl, p->out, p->out_length);
        p->out_length = 0;
        return;
    }
#endif
    if (p->out_length && send(p->fd, p->out, p->out_length, MSG_NOSIGNAL) < 0) {}
    p->out_length = 0;
}

/* As recv: bytes, 0 at the end, -1 with EAGAIN where there are none now. */
static ssize_t receive(struct peer *p) {
#ifdef TLS
    if (p->ssl) {
        int got = 1;
        ERR_clear_error();   /* what another connection left there would be taken for ours */
        if (p->shaking && (got = SSL_accept(p->ssl)) == 1) p->shaking = 0;
        if (got == 1) got = SSL_read(p->ssl, p->in + p->length, BUFFER - p->length);
        if (got > 0) return got;
        int why = SSL_get_error(p->ssl, got);
        errno = EAGAIN;
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
#endif
    return recv(p->fd, p->in + p->length, BUFFER - p->length, 0);
}

static void say(struct peer *p, const char *text) {
    int length = strlen(text);
    if (delay > 0) {
        struct later *l = &p->later[p->last++ % LATER];
        l->at = now() + delay;
        l->length = length;
        memcpy(l->text, text, length);
        return;
    }
    if (p->out_length + length > PENDING) flush(p);
    memcpy(p->out + p->out_length, text, length);
    p->out_length += length;
}

static void command(struct peer *p, char *line) {
    if (!strncasecmp(line, "DATA", 4)) { p->in_data = 1; say(p, "354 go on\r\n"); }
    else if (!strncasecmp(line, "EHLO", 4)) {
        char text[120] = "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n";
#ifdef TLS
        if (tls && !p->ssl) strcat(text, "250-STARTTLS\r\n");
#endif
        if (chunking) strcat(text, "250-CHUNKING\r\n");
        say(p, strcat(text, "250 SMTPUTF8\r\n"));
#ifdef TLS
    } else if (tls && !p->ssl && !strncasecmp(line, "STARTTLS", 8)) {
        say(p, "220 2.0.0 go ahead\r\n");
        flush(p);
        p->ssl = SSL_new(tls);
        p->shaking = 1;
        SSL_set_fd(p->ssl, p->fd);
#endif
    } else if (!strncasecmp(line, "BDAT ", 5)) {
        p->chunk = strtol(line + 5, NULL, 10) + 1;   /* one more: zero means there is none */
    } else if (!strncasecmp(line, "QUIT", 4)) { say(p, "221 bye\r\n"); }
    else say(p, "250 2.0.0 ok\r\n");
}

static void take(struct peer *p) {
    int at = 0;
    while (at < p->length) {
        char *here = p->in + at;
        int left = p->length - at;
        if (p->chunk) {
            long bytes = p->chunk - 1 < left ? p->chunk - 1 : left;
            p->chunk -= bytes;
            at += bytes;
            if (p->chunk > 1) break;
            p->chunk = 0;
            taken++;
            say(p, "250 2.0.0 taken\r\n");
        } else if (p->in_data) {
            char *end = left >= 3 && !memcmp(here, ".\r\n", 3) ? here - 2 : memmem(here, left, "\r\n.\r\n", 5);
            if (!end) {   /* keep what may be the beginning of the end */
                int keep = left < 4 ? left : 4;
                if (left > keep) { memmove(p->in, here + left - keep, keep); p->length = keep; return; }
                break;
            }
            at = end + 5 - p->in;
            p->in_data = 0;
            taken++;
            say(p, "250 2.0.0 taken\r\n");
        } else {
            char *end = memchr(here, '\n', left);
            if (!end) break;
            command(p, here);
            at = end + 1 - p->in;
        }
    }
    memmove(p->in, p->in + at, p->length - at);
    p->length -= at;
}

static void leave(struct peer *p) {
    peers[p->fd] = NULL;
#ifdef TLS
    if (p->ssl) SSL_free(p->ssl);
#endif
    close(p->fd);
    free(p);
}

int main(int count, char **given) {
    int port = count > 1 ? atoi(given[1]) : 0, one = 1;
    delay = count > 2 ? atof(given[2]) / 1e3 : 0;
    chunking = count > 3 && atoi(given[3]);
    int segment = 0;
#ifdef TLS
    if (count > 5) {
        tls = SSL_CTX_new(TLS_server_method());
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (SSL_CTX_use_certificate_file(tls, given[4], SSL_FILETYPE_PEM) != 1
            || SSL_CTX_use_PrivateKey_file(tls, given[5], SSL_FILETYPE_PEM) != 1) { fputs("no certificate\n", stderr); return 1; }
        /* As on a network: over the loopback's segments of 64 KB a client that leaves Nagle's algorithm on waits for
         * our delayed acknowledgement in the middle of each message, and would be measured by that. */
        segment = 1448;
    }
#endif
    struct sigaction action = {.sa_handler = finish};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (segment) setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
    if (bind(listener, (void *)&address, size) || listen(listener, 1024)) { perror("listen"); return 1; }
    getsockname(listener, (void *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    while (!over) {
        int ready = epoll_wait(epoll, events, 256, delay > 0 ? 1 : -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int new = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (new < 0 || new >= MOST) continue;
                setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                peers[new] = calloc(1, sizeof(struct peer));
                peers[new]->fd = new;
                event = (struct epoll_event){.events = EPOLLIN, .data.fd = new};
                epoll_ctl(epoll, EPOLL_CTL_ADD, new, &event);
                say(peers[new], "220 sink ESMTP\r\n");
                flush(peers[new]);
                continue;
            }
            struct peer *p = peers[fd];
            if (!p) continue;
            ssize_t got;
            do {   /* what TLS has decrypted already is announced by nobody */
                got = receive(p);
                if (got > 0) { p->length += got; take(p); flush(p); }
#ifdef TLS
            } while (p->ssl && got > 0);
#else
            } while (0);
#endif
            if (got == 0 || (got < 0 && errno != EAGAIN)) leave(p);
        }
        if (delay <= 0) continue;
        double time = now();
        for (int fd = 0; fd < MOST; fd++) {
            struct peer *p = peers[fd];
            if (!p) { if (fd > 4096) break; continue; }
            while (p->first != p->last && p->later[p->first % LATER].at <= time) {
                struct later *l = &p->later[p->first++ % LATER];
                if (p->out_length + l->length > PENDING) flush(p);
                memcpy(p->out + p->out_length, l->text, l->length);
                p->out_length += l->length;
            }
            flush(p);
        }
    }
    printf("%ld\n", taken);
    return 0;
}
