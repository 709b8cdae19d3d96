/* Preloaded into a program: its n-th write, or its n-th flush, of a file below
   a directory fails, and all later ones, until a file says that the trouble is
   over. The first failure leaves a file that says so.

     FAULT_DIR   files below it are meant
     FAULT_KIND  "write": ENOSPC, "flush": EIO
     FAULT_AT    which one is the first to fail, from 1
     FAULT_OVER  once this file is there, nothing fails any more
     FAULT_HIT   made at the first failure */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long done;

static int is_meant(int fd) {
    const char *directory = getenv("FAULT_DIR");
    if (!directory)
        return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    size_t prefix = strlen(directory);
    return strncmp(path, directory, prefix) == 0 && path[prefix] == '/';
}

static int fails(int fd, const char *kind) {
    const char *wanted = getenv("FAULT_KIND"), *at = getenv("FAULT_AT");
    const char *over = getenv("FAULT_OVER"), *hit = getenv("FAULT_HIT");
    if (!wanted || !at || !over || !hit || strcmp(wanted, kind) != 0 || !is_meant(fd))
        return 0;
    if (atomic_fetch_add(&done, 1) + 1 < atol(at) || access(over, F_OK) == 0)
        return 0;
    int mark = open(hit, O_CREAT | O_WRONLY, 0600);
    if (mark >= 0)
        close(mark);
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL(kind, code)                                                       \
    if (fails(fd, kind)) {                                                     \
        errno = code;                                                          \
        return -1;                                                             \
    }

ssize_t write(int fd, const void *from, size_t size) {
    FAIL("write", ENOSPC)
    return REAL(write)(fd, from, size);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    FAIL("write", ENOSPC)
    return REAL(pwrite)(fd, from, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at) {
    FAIL("write", ENOSPC)
    return REAL(pwrite64)(fd, from, size, at);
}

ssize_t writev(int fd, const struct iovec *from, int count) {
    FAIL("write", ENOSPC)
    return REAL(writev)(fd, from, count);
}

int posix_fallocate(int fd, off_t at, off_t size) {
    if (fails(fd, "write"))
        return ENOSPC;
    return REAL(posix_fallocate)(fd, at, size);
}

int fallocate(int fd, int mode, off_t at, off_t size) {
    FAIL("write", ENOSPC)
    return REAL(fallocate)(fd, mode, at, size);
}

int fsync(int fd) {
    FAIL("flush", EIO)
    return REAL(fsync)(fd);
}

int fdatasync(int fd) {
    FAIL("flush", EIO)
    return REAL(fdatasync)(fd);
}
