/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that makes random system calls: `fuzz_calls guest SEED COUNT` (the first argument is
 * not used). Several threads call whatever there is with numbers, descriptors, strings, good and
 * bad pointers; left out is only what would honestly end this program or its watchdog. Afterwards
 * it checks that the calls still do what they should. Status 0: still alive and well.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WORKERS     4
#define POOL        (256 * 1024)
#define HIGHEST     470
#define ARENA       (64ul << 20) /* where mappings come and go */
#define MAP_LONGEST (1ul << 20)  /* room behind the arena that stays reserved */
#define NUDGE_NS    1000000      /* a call that sleeps is interrupted after this */
#define FIRST_FD    3            /* the console stays out of it */
#define CLEAN_EVERY 512          /* calls of one thread, then it closes everything */

struct worker {
    uint64_t random;
    long calls;
    volatile int id;
    volatile int done;
};

static struct worker workers[WORKERS];
static unsigned char *pool, *arena;

static uint64_t next(struct worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static uint64_t below(struct worker *w, uint64_t bound)
{
    return next(w) % bound;
}

/* The bare call: errno is thread-local, and a random call may have moved that. */
static long call(long number, const uint64_t a[6])
{
    long result = number;
    register uint64_t r10 __asm__("r10") = a[3];
    register uint64_t r8 __asm__("r8") = a[4];
    register uint64_t r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall"
                     : "+a"(result)
                     : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long call3(long number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t arguments[6] = {a, b, c};
    return call(number, arguments);
}

static const char *const paths[] = {
    "/",
    "/tmp",
    "/tmp/a",
    "/tmp/b",
    "/tmp/a/c",
    "/dev/zero",
    "/dev/null",
    "/dev/full",
    "/dev",
    "/dev/urandom",
    "/proc/self/maps",
    "/proc/self/pagemap",
    "/proc",
    "/proc/self",
    "/sys/bus",
    "/payload.elf",
    "/dev/vfio/vfio",
    "/dev/iommu",
    "/none/there",
    "",
    "relative",
    "../..",
    "/proc/self/exe",
    "/proc/self/status",
    "/dev/shm/x",
    "/tmp/link",
    "/tmp/a/..",
    "/proc/cpuinfo",
    "/sys/kernel/iommu/mappings",
};

static uint64_t pointer(struct worker *w)
{
    static const uint64_t strange[] = {
        0,
        8,
        0x7fffffffefff,
        0x7ffffffff000,
        0x800000000000,
        0xffff800000000000,
        0xffffffff80000000,
        0xfffffffffffffff8,
    };
    if (below(w, 5) == 0)
        return strange[below(w, sizeof(strange) / sizeof(strange[0]))];
    uint64_t at = (uint64_t)(uintptr_t)pool + below(w, POOL);
    return below(w, 4) ? at & ~UINT64_C(15) : at;
}

static uint64_t number(struct worker *w)
{
    switch (below(w, 8)) {
    case 0:
        return 0;
    case 1:
        return below(w, 16);
    case 2:
        return below(w, 4096);
    case 3:
        return UINT64_C(1) << below(w, 64);
    case 4:
        return ~UINT64_C(0) >> below(w, 64);
    case 5:
        return below(w, 64) * 4096;
    case 6:
        return 0 - below(w, 4096);
    default:
        return next(w);
    }
}

static uint64_t descriptor(struct worker *w)
{
    return below(w, 8) ? FIRST_FD + below(w, 40) : below(w, 2) ? 5000 + below(w, 100) : ~0ull;
}

static uint64_t signal_number(struct worker *w)
{
    const uint64_t fatal =
        1 << SIGILL | 1 << SIGTRAP | 1 << SIGBUS | 1 << SIGFPE | 1 << SIGKILL | 1 << SIGSEGV;
    uint64_t n = below(w, 70);
    bool of_the_library = n >= 32 && n <= 34;
    return of_the_library || (n < 64 && (fatal >> n & 1)) ? 0 : n;
}

/* One letter says what an argument is. */
static uint64_t argument(struct worker *w, char kind)
{
    switch (kind) {
    case 'f':
        return descriptor(w);
    case 'p':
        return pointer(w);
    case 's':
        return (uint64_t)(uintptr_t)paths[below(w, sizeof(paths) / sizeof(paths[0]))];
    case 'd': /* a directory: mostly the working one */
        return below(w, 4) ? (uint64_t)AT_FDCWD : descriptor(w);
    case 'l':
        return below(w, 6) ? below(w, 70000) : number(w);
    case 'n':
        return signal_number(w);
    case 't': /* a thread, or the process */
        return below(w, 8);
    case 'c': /* a count of things, small */
        return below(w, 20);
    case 'm': /* a place to map and unmap; few of them, so that they meet */
        return (uint64_t)(uintptr_t)arena + below(w, 64) * (ARENA / 64) + below(w, 4) * 4096;
    case 'k': /* as long as fits behind the last place */
        return below(w, 2) ? below(w, 16) * 4096 : below(w, MAP_LONGEST - 4 * 4096);
    case '0':
        return 0;
    default:
        return number(w);
    }
}

/* What makes sense of the arguments that most calls have; the others get numbers and pointers. */
static const struct {
    int number;
    const char *kinds;
} shapes[] = {
    {SYS_read, "fpl"},
    {SYS_write, "fpl"},
    {SYS_open, "sii"},
    {SYS_close, "f"},
    {SYS_stat, "sp"},
    {SYS_fstat, "fp"},
    {SYS_lstat, "sp"},
    {SYS_poll, "pcc"},
    {SYS_lseek, "fic"},
    {SYS_mmap, "0lciip"},
    {SYS_mmap, "mkccfi"},
    {SYS_mprotect, "mkc"},
    {SYS_munmap, "mk"},
    {SYS_mremap, "mkkcm"},
    {SYS_madvise, "mkc"},
    {SYS_msync, "mkc"},
    {SYS_mincore, "mkp"},
    {SYS_mlock, "mk"},
    {SYS_munlock, "mk"},
    {SYS_ioctl, "fip"},
    {SYS_pread64, "fpli"},
    {SYS_pwrite64, "fpli"},
    {SYS_readv, "fpc"},
    {SYS_writev, "fpc"},
    {SYS_access, "sc"},
    {SYS_pipe2, "pi"},
    {SYS_select, "cpppp"},
    {SYS_dup, "f"},
    {SYS_dup2, "ff"},
    {SYS_fcntl, "fci"},
    {SYS_fcntl, "fip"},
    {SYS_truncate, "sl"},
    {SYS_ftruncate, "fl"},
    {SYS_getdents64, "fpl"},
    {SYS_getcwd, "pl"},
    {SYS_chdir, "s"},
    {SYS_fchdir, "f"},
    {SYS_rename, "ss"},
    {SYS_mkdir, "si"},
    {SYS_rmdir, "s"},
    {SYS_unlink, "s"},
    {SYS_symlink, "ss"},
    {SYS_readlink, "spl"},
    {SYS_openat, "dsii"},
    {SYS_openat, "dsci"},
    {SYS_newfstatat, "dspi"},
    {SYS_unlinkat, "dsi"},
    {SYS_renameat2, "dsdsc"},
    {SYS_faccessat, "dsc"},
    {SYS_statx, "dsiip"},
    {SYS_memfd_create, "pc"},
    {SYS_memfd_create, "sc"},
    {SYS_eventfd2, "ic"},
    {SYS_epoll_create1, "0"},
    {SYS_epoll_ctl, "fcfp"},
    {SYS_epoll_wait, "fpcc"},
    {SYS_timerfd_create, "c0"},
    {SYS_timerfd_settime, "fcp"},
    {SYS_timerfd_gettime, "fp"},
    {SYS_nanosleep, "pp"},
    {SYS_clock_nanosleep, "ccpp"},
    {SYS_clock_gettime, "cp"},
    {SYS_futex, "pcipp"},
    {SYS_futex, "piippi"},
    {SYS_getrandom, "plc"},
    {SYS_prlimit64, "cc0p"},
    {SYS_kill, "tn"},
    {SYS_tgkill, "ttn"},
    {SYS_tkill, "tn"},
    {SYS_rt_sigqueueinfo, "tnp"},
    {SYS_rt_sigtimedwait, "pppc"},
    {SYS_rt_sigpending, "pc"},
    {SYS_sigaltstack, "0p"},
    {SYS_fallocate, "f0ll"},
    {SYS_flock, "fc"},
    {SYS_ppoll, "pcp0c"},
    {SYS_pselect6, "cpppp0"},
    {SYS_preadv, "fpci"},
    {SYS_pwritev, "fpci"},
    {SYS_prctl, "cpppp"},
    {SYS_uname, "p"},
    {SYS_statfs, "sp"},
    {SYS_dup3, "ffi"},
    {SYS_eventfd2, "cc"},
};

/*
 * Calls that would end this program, take its watchdog's signal away, break its own thread, or
 * write to its console, when they do what they are told.
 */
static bool is_left_out(long n)
{
    static const short out[] = {
        SYS_exit,
        SYS_exit_group,
        SYS_rt_sigreturn,
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_rt_sigsuspend,
        SYS_clone,
        SYS_clone3,
        SYS_brk,
        SYS_arch_prctl,
        SYS_dup,
        SYS_fcntl,
        SYS_close_range,
        SYS_setrlimit,
        SYS_prlimit64,
        SYS_ppoll,
        SYS_pselect6,
        SYS_epoll_pwait,
        SYS_epoll_pwait2,
        SYS_munmap,
        SYS_mremap,
        SYS_mprotect,
        SYS_mmap,
        SYS_madvise,
        SYS_kill,
        SYS_tkill,
        SYS_tgkill,
        SYS_rt_sigqueueinfo,
        SYS_rt_tgsigqueueinfo,
        SYS_sigaltstack,
        SYS_dup2,
        SYS_dup3,
        SYS_write,
        SYS_writev,
        SYS_close,
        SYS_mlockall,
    };
    for (unsigned i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
        if (out[i] == n)
            return true;
    }
    return false;
}

static long random_call(struct worker *w)
{
    uint64_t a[6];
    const char *kinds = "xxxxxx";
    long n = (long)below(w, HIGHEST);
    if (below(w, 4)) {
        unsigned shape = (unsigned)below(w, sizeof(shapes) / sizeof(shapes[0]));
        n = shapes[shape].number;
        kinds = shapes[shape].kinds;
    } else if (is_left_out(n)) {
        return 0;
    }
    bool ended = false;
    for (int i = 0; i < 6; i++) {
        ended |= !kinds[i];
        char kind = ended ? 'x' : kinds[i];
        a[i] = kind == 'x' && below(w, 2) ? pointer(w) : argument(w, kind);
    }
    /* Over the arena, or wherever the kernel likes; there it goes again at once. */
    bool anywhere = n == SYS_mmap && a[0] == 0;
    if (n == SYS_mmap)
        a[3] = (a[3] & ~UINT64_C(0x100010)) | (below(w, 2) ? 0x20 : 0) | (anywhere ? 0 : 0x10);
    if (n == SYS_mremap)
        a[3] = below(w, 2) ? 0 : 3; /* stay, or go to another place of the arena */
    long result = call(n, a);
    if (anywhere && result > 0)
        call3(SYS_munmap, (uint64_t)result, a[1], 0);
    return result;
}

/* Random bytes for the structures that calls read, put there by the kernel since the pool may have
 * holes by now; small words among them, since random 64-bit ones are refused too soon. */
static void stir(struct worker *w)
{
    uint32_t words[16];
    for (int i = 0; i < 16; i++)
        words[i] = (uint32_t)(below(w, 2) ? below(w, 50) : number(w));
    int pipe_fds[2];
    if (call3(SYS_pipe2, (uint64_t)(uintptr_t)pipe_fds, O_NONBLOCK, 0) < 0)
        return;
    call3(SYS_write, (uint64_t)pipe_fds[1], (uint64_t)(uintptr_t)words, sizeof(words));
    call3(SYS_read, (uint64_t)pipe_fds[0], pointer(w), sizeof(words));
    call3(SYS_close, (uint64_t)pipe_fds[0], 0, 0);
    call3(SYS_close, (uint64_t)pipe_fds[1], 0, 0);
}

static void clean(struct worker *w)
{
    call3(SYS_close_range, FIRST_FD, ~0u, 0);
    call3(SYS_munlockall, 0, 0, 0);
    const uint64_t again[6] = {(uint64_t)(uintptr_t)pool, POOL, 3, 0x32, ~0ull, 0};
    call(SYS_mmap, again); /* fixed: fills the holes */
    const uint64_t empty[6] = {
        (uint64_t)(uintptr_t)arena, ARENA + MAP_LONGEST, 0, 0x4032, ~0ull, 0};
    call(SYS_mmap, empty);
}

static void *work(void *argument)
{
    struct worker *w = argument;
    w->id = (int)call3(SYS_gettid, 0, 0, 0);
    for (long i = 0; i < w->calls; i++) {
        if (i % 16 == 0)
            stir(w);
        if (i % CLEAN_EVERY == 0)
            clean(w);
        random_call(w);
    }
    w->done = 1;
    for (;;)
        call3(SYS_pause, 0, 0, 0);
}

static void nothing(int number)
{
}

/* Faults keep their default: one would be a finding. */
static void catch_all(void)
{
    struct sigaction action = {.sa_handler = nothing};
    for (int n = 1; n < 65; n++) {
        if (n != SIGSEGV && n != SIGBUS && n != SIGILL && n != SIGFPE && n != SIGTRAP)
            sigaction(n, &action, NULL);
    }
}

static bool all_done(void)
{
    bool done = true;
    for (int i = 0; i < WORKERS; i++)
        done &= workers[i].done;
    return done;
}

/* Wakes whoever sleeps, until all have made their calls. */
static void watch(void)
{
    const struct timespec pause = {0, NUDGE_NS};
    while (!all_done()) {
        call3(SYS_nanosleep, (uint64_t)(uintptr_t)&pause, 0, 0);
        for (int i = 0; i < WORKERS; i++) {
            if (workers[i].id)
                call3(SYS_tgkill, (uint64_t)getpid(), (uint64_t)workers[i].id, SIGUSR1);
        }
    }
}

static const char *still_well(void)
{
    uint64_t value = 3;
    clean(&workers[0]);
    int fd = eventfd(4, EFD_NONBLOCK);
    if (fd < 0 || write(fd, &value, 8) != 8 || read(fd, &value, 8) != 8 || value != 7)
        return "eventfd";
    close(fd);
    char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return "mmap";
    for (int i = 0; i < 1 << 20; i += 4096) {
        if (memory[i])
            return "memory that is not zero";
    }
    fd = open("/tmp/after", O_RDWR | O_CREAT, 0644);
    if (fd < 0 || write(fd, "well", 4) != 4 || pread(fd, memory, 4, 0) != 4 ||
        memcmp(memory, "well", 4) != 0)
        return "files";
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    long count = argc > 3 ? strtol(argv[3], NULL, 0) : 1000;
    pthread_t thread;
    setbuf(stdout, NULL);
    catch_all();
    pool = mmap(NULL, POOL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    arena = mmap(NULL, ARENA + MAP_LONGEST, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (pool == MAP_FAILED || arena == MAP_FAILED)
        return 2;
    for (int i = 0; i < WORKERS; i++) {
        workers[i].random = seed * 0x9e3779b97f4a7c15 + (uint64_t)i + 1;
        workers[i].calls = count / WORKERS;
        if (pthread_create(&thread, NULL, work, &workers[i]))
            return 2;
    }
    watch();
    const char *wrong = still_well();
    printf("fuzz_calls: seed %llu, %ld calls: %s\n", (unsigned long long)seed, count,
           wrong ? wrong : "alive");
    return wrong != NULL;
}
