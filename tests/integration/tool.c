/* One static program with which tiny roots are built: what it does is its first argument, or its own name. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) { perror(what); return 1; }

static int cat(const char *path) {
    char block[4096];
    ssize_t count;
    int file = open(path, O_RDONLY);
    if (file < 0) return fail(path);
    while ((count = read(file, block, sizeof block)) > 0) fwrite(block, 1, count, stdout);
    return count < 0 ? fail(path) : 0;
}

static int list(const char *path) {
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) return fail(path);
    for (int i = 0; i < count; i++) if (names[i]->d_name[0] != '.') puts(names[i]->d_name);
    return 0;
}

static int answer(int server, const char *path) {
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        char request[4096];
        int client = accept(server, NULL, NULL);
        if (client < 0) return fail("accept");
        if (read(client, request, sizeof request) <= 0) { close(client); continue; }
        dprintf(client, "HTTP/1.0 200 OK\r\n\r\n");
        int file = open(path, O_RDONLY);
        if (file < 0) dprintf(client, "nothing\n");
        else {
            ssize_t count = read(file, request, sizeof request);
            if (write(client, request, count) < 0) return fail("write");
            close(file);
        }
        close(client);
    }
}

static int serve(int port, const char *path) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server, (void *)&address, sizeof address) || listen(server, 8)) return fail("bind");
    return answer(server, path);
}

static int serve_unix(const char *name, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(server, (void *)&address, sizeof address) || listen(server, 8)) return fail("bind");
    return answer(server, path);
}

static int ask(int port) {
    char block[4096];
    ssize_t count;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (void *)&address, sizeof address)) return fail("connect");
    if (write(client, "x\n", 2) < 0) return fail("write");
    while ((count = read(client, block, sizeof block)) > 0) fwrite(block, 1, count, stdout);
    return 0;
}

static int identity(void) {
    char directory[4096];
    const char *value = getenv("VALUE"), *home = getenv("HOME");
    printf("uid %d euid %d gid %d groups %d\n", getuid(), geteuid(), getgid(), getgroups(0, NULL));
    printf("cwd %s VALUE %s HOME %s\n", getcwd(directory, sizeof directory), value ? value : "-", home ? home : "-");
    return 0;
}

static int varies(const char *text) {
    unsigned number = 0;
    int file = open("/dev/urandom", O_RDONLY);
    if (file < 0 || read(file, &number, sizeof number) < 0) return fail("/dev/urandom");
    printf("number %u of %s\n", number, text);
    return 0;
}

int main(int count, char **words) {
    const char *name = strrchr(words[0], '/') ? strrchr(words[0], '/') + 1 : words[0];
    if (!strcmp(name, "tool")) { words++; count--; name = count > 0 ? words[0] : ""; }
    if (!strcmp(name, "cat") && count > 1) return cat(words[count - 1]);
    if (!strcmp(name, "list") && count > 1) return list(words[1]);
    if (!strcmp(name, "id")) return identity();
    if (!strcmp(name, "varies") && count > 1) return varies(words[1]);
    if (!strcmp(name, "write") && count > 1) {
        int file = open(words[1], O_WRONLY | O_CREAT, 0644);
        return file < 0 ? fail(words[1]) : puts("written") < 0;
    }
    if (!strcmp(name, "in") && count > 2) {  /* in DIRECTORY PATH: a child reads a relative path */
        if (chdir(words[1])) return fail(words[1]);
        pid_t child = fork();
        int status;
        if (child == 0) exit(cat(words[2]));
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    }
    if (!strcmp(name, "run") && count > 1) { execvp(words[1], words + 1); return fail(words[1]); }
    if (!strcmp(name, "maybe") && count > 1) { puts(access(words[1], F_OK) ? "done" : "done"); return 0; }
    if (!strcmp(name, "forever")) for (;;) pause();
    if (!strcmp(name, "flood")) for (;;) puts("flood");
    if (!strcmp(name, "kill")) return raise(9);
    if (!strcmp(name, "serve") && count > 2) return serve(atoi(words[1]), words[2]);
    if (!strcmp(name, "serve-unix") && count > 2) return serve_unix(words[1], words[2]);
    if (!strcmp(name, "ask") && count > 1) return ask(atoi(words[1]));
    fprintf(stderr, "unknown: %s\n", name);
    return 2;
}
