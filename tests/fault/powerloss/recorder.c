/* Records what a process does to the files below one directory, for tests of power losses.

   Preloaded (LD_PRELOAD), it stands between the program and the C library: each call that changes a file, a
   name or what is durable goes on to the library, and where it succeeds is written down in RECORDER_LOG, in the
   order in which it happened. RECORDER_ROOT is the directory; bytes appended to RECORDER_MARKS are written
   down too, so that the program can say what it has promised by then.

   With RECORDER_FAIL=N:CODE, the N-th of the calls that take space or sync fails with that errno instead.

   A record: kind (1 byte), length of the path (u32), of the second path (u32), of the data (u32), offset (u64),
   then the paths and the data. Integers are in the machine's order. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static char root[PATH_MAX], marks[PATH_MAX];
static long fail_at, counted;
static int fail_with;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("RECORDER_LOG"), *fail = getenv("RECORDER_FAIL");
    snprintf(root, sizeof root, "%s/", getenv("RECORDER_ROOT") ? getenv("RECORDER_ROOT") : "");
    snprintf(marks, sizeof marks, "%s", getenv("RECORDER_MARKS") ? getenv("RECORDER_MARKS") : "");
    if (log) log_file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fail) sscanf(fail, "%ld:%d", &fail_at, &fail_with);
}

static void put(const void *data, size_t length) {
    while (length) {
        ssize_t written = syscall(SYS_write, log_file, data, length);
        if (written <= 0) _exit(99);
        data = (const char *)data + written;
        length -= written;
    }
}

static int concerns(const char *path) {
    size_t length = strlen(root);
    return (log_file >= 0 || fail_at) && length > 1 &&
           (!strncmp(path, root, length) || (!strncmp(path, root, length - 1) && !path[length - 1]) ||
            !strcmp(path, marks));
}

static void record(char kind, const char *path, const char *other, uint64_t offset, const struct iovec *data, int count,
                   size_t length) {
    if (log_file < 0) return;
    uint32_t sizes[3] = {strlen(path), other ? strlen(other) : 0, length};
    put(&kind, 1);
    put(sizes, sizeof sizes);
    put(&offset, 8);
    put(path, sizes[0]);
    if (other) put(other, sizes[1]);
    for (int i = 0; i < count && length; i++) {
        size_t piece = data[i].iov_len < length ? data[i].iov_len : length;
        put(data[i].iov_base, piece);
        length -= piece;
    }
}

/* The path of an open file, and whether it concerns us; one that was unlinked does not. */
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return concerns(path) && !strstr(path, " (deleted)");
}

static int absolute(int directory, const char *name, char *path) {
    if (*name == '/')
        snprintf(path, PATH_MAX, "%s", name);
    else {
        char base[PATH_MAX] = "";
        if (directory == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return 0;
            base[length] = 0;
        }
        if (snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) return 0;
    }
    return concerns(path);
}

static int fails(const char *path) {
    if (!fail_at || !strcmp(path, marks)) return 0;
    if (++counted != fail_at) return 0;
    errno = fail_with;
    return 1;
}

#define CALL(result, path, kind, other, offset, data, count, length)                          \
    do {                                                                                      \
        int saved = errno;                                                                    \
        if ((result) >= 0) record(kind, path, other, offset, data, count, length);            \
        errno = saved;                                                                        \
        pthread_mutex_unlock(&lock);                                                          \
    } while (0)

static ssize_t do_writev(int fd, const struct iovec *data, int count, off64_t offset, int flags) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) {
        if (offset < 0) return REAL(writev)(fd, data, count);
        return syscall(SYS_pwritev2, fd, data, count, (long)offset, 0L, flags);
    }
    pthread_mutex_lock(&lock);
    if (fails(path)) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    off64_t at = offset;
    if (offset < 0) {
        struct stat64 status;
        int append = fcntl(fd, F_GETFL) & O_APPEND;
        at = append && !fstat64(fd, &status) ? status.st_size : lseek64(fd, 0, SEEK_CUR);
    }
    ssize_t result = offset < 0 ? syscall(SYS_writev, fd, data, count) : syscall(SYS_pwritev2, fd, data, count, (long)offset, 0L, flags);
    CALL(result, path, strcmp(path, marks) ? 'w' : 'm', NULL, at, data, count, result);
    return result;
}

ssize_t write(int fd, const void *data, size_t length) {
    struct iovec one = {(void *)data, length};
    char path[PATH_MAX];
    if (!path_of(fd, path)) return syscall(SYS_write, fd, data, length);
    return do_writev(fd, &one, 1, -1, 0);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    struct iovec one = {(void *)data, length};
    return do_writev(fd, &one, 1, offset, 0);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }
ssize_t writev(int fd, const struct iovec *data, int count) { return do_writev(fd, data, count, -1, 0); }
ssize_t pwritev(int fd, const struct iovec *data, int count, off_t offset) { return do_writev(fd, data, count, offset, 0); }
ssize_t pwritev64(int fd, const struct iovec *data, int count, off64_t offset) { return do_writev(fd, data, count, offset, 0); }
ssize_t pwritev2(int fd, const struct iovec *data, int count, off_t offset, int flags) { return do_writev(fd, data, count, offset, flags); }
ssize_t pwritev64v2(int fd, const struct iovec *data, int count, off64_t offset, int flags) { return do_writev(fd, data, count, offset, flags); }

static int on_file(int fd, char kind, off64_t size, long call) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return kind == 't' ? syscall(call, fd, size) : syscall(call, fd);
    pthread_mutex_lock(&lock);
    if (fails(path)) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    int result = kind == 't' ? syscall(call, fd, size) : syscall(call, fd);
    CALL(result, path, kind, NULL, size, NULL, 0, 0);
    return result;
}
int fsync(int fd) { return on_file(fd, 's', 0, SYS_fsync); }
int fdatasync(int fd) { return on_file(fd, 's', 0, SYS_fdatasync); }
int ftruncate64(int fd, off64_t size) { return on_file(fd, 't', size, SYS_ftruncate); }
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int truncate64(const char *name, off64_t size) {
    char path[PATH_MAX];
    if (!absolute(AT_FDCWD, name, path)) return syscall(SYS_truncate, name, size);
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_truncate, name, size);
    CALL(result, path, 't', NULL, size, NULL, 0, 0);
    return result;
}
int truncate(const char *name, off_t size) { return truncate64(name, size); }
int posix_fallocate64(int fd, off64_t offset, off64_t length) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return REAL(posix_fallocate64)(fd, offset, length);
    pthread_mutex_lock(&lock);
    int result = fails(path) ? fail_with : REAL(posix_fallocate64)(fd, offset, length);
    if (!result) record('t', path, NULL, offset + length, NULL, 0, 0);
    pthread_mutex_unlock(&lock);
    return result;
}
int posix_fallocate(int fd, off_t offset, off_t length) { return posix_fallocate64(fd, offset, length); }

static int do_open(int directory, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !absolute(directory, name, path))
        return syscall(SYS_openat, directory, name, flags, mode);
    pthread_mutex_lock(&lock);
    int existed = !syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
    if (!existed && fails(path)) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    int fd = syscall(SYS_openat, directory, name, flags, mode);
    int saved = errno;
    if (fd >= 0 && strcmp(path, marks)) {
        if (!existed) record('c', path, NULL, 0, NULL, 0, 0);
        else if (flags & O_TRUNC) record('t', path, NULL, 0, NULL, 0, 0);
    }
    errno = saved;
    pthread_mutex_unlock(&lock);
    return fd;
}
#define MODE                                        \
    mode_t mode = 0;                                \
    if (flags & (O_CREAT | O_TMPFILE)) {            \
        va_list rest;                               \
        va_start(rest, flags);                      \
        mode = va_arg(rest, mode_t);                \
        va_end(rest);                               \
    }
int open(const char *name, int flags, ...) { MODE return do_open(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE return do_open(AT_FDCWD, name, flags | O_LARGEFILE, mode); }
int openat(int directory, const char *name, int flags, ...) { MODE return do_open(directory, name, flags, mode); }
int openat64(int directory, const char *name, int flags, ...) { MODE return do_open(directory, name, flags | O_LARGEFILE, mode); }

static int on_name(char kind, int directory, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    int ours = absolute(directory, name, path);
    if (ours) pthread_mutex_lock(&lock);
    int result = kind == 'd' ? syscall(SYS_mkdirat, directory, name, mode) : syscall(SYS_unlinkat, directory, name, flags);
    if (ours) CALL(result, path, kind, NULL, 0, NULL, 0, 0);
    return result;
}
int unlink(const char *name) { return on_name('u', AT_FDCWD, name, 0, 0); }
int unlinkat(int directory, const char *name, int flags) { return on_name('u', directory, name, flags, 0); }
int rmdir(const char *name) { return on_name('u', AT_FDCWD, name, AT_REMOVEDIR, 0); }
int mkdir(const char *name, mode_t mode) { return on_name('d', AT_FDCWD, name, 0, mode); }
int mkdirat(int directory, const char *name, mode_t mode) { return on_name('d', directory, name, 0, mode); }

static int do_rename(int from, const char *old, int to, const char *new) {
    char path[PATH_MAX], other[PATH_MAX];
    int ours = absolute(from, old, path) && absolute(to, new, other);
    if (ours) pthread_mutex_lock(&lock);
    int result = syscall(SYS_renameat, from, old, to, new);
    if (ours) CALL(result, path, 'r', other, 0, NULL, 0, 0);
    return result;
}
int rename(const char *old, const char *new) { return do_rename(AT_FDCWD, old, AT_FDCWD, new); }
int renameat(int from, const char *old, int to, const char *new) { return do_rename(from, old, to, new); }
