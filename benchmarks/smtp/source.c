/* A sender that does nothing but send, as fast as pipelining allows: the floor that a real one is compared with.
 *
 *     cc -O2 -o source source.c && ./source PORT COUNT CONNECTIONS FILE
 *
 * One thread, poll. FILE is a message that is ready: CRLF line ends, dots stuffed, one CRLF at its end. The end of one
 * message and the envelope of the next leave in one write (RFC 2920); one round trip a message. Prints the seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, LINE = 600 };

static const char ENVELOPE[] = "MAIL FROM:<papers@example.org>\r\nRCPT TO:<reader@example.org>\r\nDATA\r\n";
enum { HELLO, ENVELOPED, SENDING, LAST, OVER };   /* what a connection is at */

struct peer {
    int fd, state, lines;      /* lines of replies still to come */
    char *out;
    long left;                 /* bytes of out still to be written */
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int reach(int port) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (connect(fd, (void *)&address, sizeof address)) { perror("connect"); exit(1); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char line[LINE];
    if (recv(fd, line, LINE, 0) <= 0 || send(fd, "EHLO source.example.org\r\n", 25, MSG_NOSIGNAL) < 0) exit(1);
    long length = 0;   /* the reply to EHLO ends with a line that has a space after its code */
    do {
        ssize_t got = recv(fd, line + length, LINE - 1 - length, 0);
        if (got <= 0) exit(1);
        line[length += got] = 0;
    } while (!strstr(line, "250 "));
    if (ioctl(fd, FIONBIO, &one)) exit(1);
    return fd;
}

static void push(struct peer *p) {
    while (p->left) {
        ssize_t gone = send(p->fd, p->out, p->left, MSG_NOSIGNAL);
        if (gone < 0) {
            if (errno == EAGAIN) return;
            perror("send");
            exit(1);
        }
        p->out += gone;
        p->left -= gone;
    }
}

int main(int count, char **given) {
    if (count < 5) { fputs("source PORT COUNT CONNECTIONS FILE\n", stderr); return 2; }
    long messages = atol(given[2]), begun = 0, done = 0;
    int connections = atoi(given[3]) < MOST ? atoi(given[3]) : MOST, open = connections;
    FILE *file = fopen(given[4], "rb");
    if (!file) { perror(given[4]); return 1; }
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *flight = malloc(length + 3 + sizeof ENVELOPE);
    if (fread(flight, 1, length, file) != (size_t)length) return 1;
    memcpy(flight + length, ".\r\n", 3);
    memcpy(flight + length + 3, ENVELOPE, sizeof ENVELOPE - 1);
    long whole = length + 3 + sizeof ENVELOPE - 1, last = length + 3;
    static struct peer peers[MOST];
    static struct pollfd polls[MOST];
    double start = now();
    for (int i = 0; i < connections; i++) {
        peers[i] = (struct peer){.fd = reach(atoi(given[1])), .state = HELLO};
        polls[i] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN};
    }
    for (int i = 0; i < connections; i++) {
        struct peer *p = peers + i;
        if (begun == messages) { p->state = OVER; polls[i].fd = -1; open--; continue; }
        begun++;
        p->state = ENVELOPED;
        p->out = flight + length + 3;
        p->left = sizeof ENVELOPE - 1;
        p->lines = 3;
        push(p);
    }
    while (open) {
        if (poll(polls, connections, 30000) <= 0) { fputs("silence\n", stderr); return 1; }
        for (int i = 0; i < connections; i++) {
            struct peer *p = peers + i;
            if (!polls[i].revents) continue;
            if (polls[i].revents & POLLOUT) push(p);
            if (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) {
                char in[4096];
                ssize_t got = recv(p->fd, in, sizeof in, 0);
                if (got == 0 || (got < 0 && errno != EAGAIN)) { fputs("cut\n", stderr); return 1; }
                for (ssize_t at = 0; at < got; at++) p->lines -= in[at] == '\n';   /* replies are of one line */
                if (!p->lines) {
                    if (p->state != ENVELOPED) done++;
                    if (p->state == LAST) { close(p->fd); p->state = OVER; polls[i].fd = -1; open--; continue; }
                    int more = begun < messages;
                    begun += more;
                    p->state = more ? SENDING : LAST;
                    p->out = flight;
                    p->left = more ? whole : last;
                    p->lines = more ? 4 : 1;
                    push(p);
                }
            }
            polls[i].events = POLLIN | (p->left ? POLLOUT : 0);
        }
    }
    printf("%.6f\n", now() - start);
    return done == messages ? 0 : 1;
}
