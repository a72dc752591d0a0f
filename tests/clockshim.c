/* Per-process wall-clock faults without touching monotonic time or sleeps. (Debian's libfaketime 0.9.10 with DONT_FAKE_MONOTONIC makes
 * Python 3.11's time.sleep fail with EINVAL, and without it a live jump also moves the monotonic clock, which no real clock fault does.)
 * Built and driven by tests/clocks.py.
 * file = 3 doubles, mapped: [0] offset seconds added, [1] rate-1 (0.05 = 5% fast), [2] anchor: real time from which the rate counts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static const volatile double *v;
__attribute__((constructor)) static void init(void) {
    const char *f = getenv("CLOCKSHIM"); int fd;
    if (f && (fd = open(f, O_RDONLY | O_CLOEXEC)) >= 0) {
        void *m = mmap(0, 24, PROT_READ, MAP_SHARED, fd, 0); close(fd);
        if (m != MAP_FAILED) v = m;
    }
}
static double shift(const struct timespec *t) {
    return v ? v[0] + v[1] * (t->tv_sec + t->tv_nsec / 1e9 - v[2]) : 0;
}
static void add(struct timespec *t, double s) {
    long long sec = (long long)s; long ns = t->tv_nsec + (long)((s - sec) * 1e9);
    t->tv_sec += sec;
    while (ns >= 1000000000) ns -= 1000000000, t->tv_sec++;
    while (ns < 0) ns += 1000000000, t->tv_sec--;
    t->tv_nsec = ns;
}
static int real(clockid_t c, struct timespec *t) {
    static int (*f)(clockid_t, struct timespec *);
    if (!f) f = dlsym(RTLD_NEXT, "clock_gettime");
    return f ? f(c, t) : (int)syscall(SYS_clock_gettime, c, t);
}
int clock_gettime(clockid_t c, struct timespec *t) {
    int r = real(c, t);
    if (!r && (c == CLOCK_REALTIME || c == CLOCK_REALTIME_COARSE || c == CLOCK_TAI)) add(t, shift(t));
    return r;
}
int gettimeofday(struct timeval *tv, void *tz) {
    struct timespec t; int r = clock_gettime(CLOCK_REALTIME, &t); (void)tz;
    if (!r && tv) tv->tv_sec = t.tv_sec, tv->tv_usec = t.tv_nsec / 1000;
    return r;
}
time_t time(time_t *p) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); if (p) *p = t.tv_sec; return t.tv_sec; }
int timespec_get(struct timespec *t, int base) { return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, t) ? base : 0; }
int sem_timedwait(sem_t *s, const struct timespec *abs) {       /* absolute CLOCK_REALTIME: give the kernel real time */
    static int (*f)(sem_t *, const struct timespec *); struct timespec n, t = *abs;
    if (!f) f = dlsym(RTLD_NEXT, "sem_timedwait");
    real(CLOCK_REALTIME, &n); add(&t, -shift(&n));
    return f(s, &t);
}
