/* Sets a process' clock back by 400 days once the file named by CLOCK_SET_BACK exists. Loaded with LD_PRELOAD. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long set_back(void) {
    const char *path = getenv("CLOCK_SET_BACK");
    return path && access(path, F_OK) == 0 ? 400L * 24 * 60 * 60 : 0;
}

int clock_gettime(clockid_t clock, struct timespec *result) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, result);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) result->tv_sec -= set_back();
    return code;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int code = real(result, zone);
    if (code == 0) result->tv_sec -= set_back();
    return code;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
