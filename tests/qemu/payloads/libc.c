/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program may expect of its C library and of the system calls below it, one case each. The
 * SDK, musl and glibc builds run on Linux and in a guest; the first argument is not used.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <net/ethernet.h>
#include <netinet/ether.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"

static __thread int thread_value = 42;
static __thread volatile int thread_zero;
static int constructed;
static char **arguments;
static sigjmp_buf back;
static volatile int caught;
static void *volatile fault_address;

__attribute__((constructor)) static void construct(void)
{
    constructed = 7;
}

static void start_up(void)
{
    CHECK_EQUAL(constructed, 7);
    thread_zero = thread_value;
    CHECK_EQUAL(thread_zero, 42);
    CHECK(arguments[0] && arguments[0][0]);
    CHECK_EQUAL(getauxval(AT_PAGESZ), 4096);
    CHECK_EQUAL(sysconf(_SC_PAGESIZE), 4096);
    CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0);
}

static void environment(void)
{
    CHECK_EQUAL(setenv("BULKHEAD_TEST", "one", 1), 0);
    CHECK(strcmp(getenv("BULKHEAD_TEST"), "one") == 0);
    CHECK(!getenv("BULKHEAD_NO_SUCH"));
}

static void formatting(void)
{
    char text[100];

    snprintf(text, sizeof(text), "%d %5.2f %" PRIx64 " %zu %s", -3, 3.14159, UINT64_MAX,
             sizeof(void *), "text");
    CHECK(strcmp(text, "-3  3.14 ffffffffffffffff 8 text") == 0);
    CHECK(strtod("2.5e3", NULL) == 2500.0);
    CHECK_EQUAL(strtoull("0xffffffffffffffff", NULL, 0), -1);
}

static void error_numbers(void)
{
    CHECK_ERROR(open("/no/such/file", O_RDONLY), ENOENT);
    CHECK_ERROR(close(99), EBADF);
    CHECK_ERROR(syscall(SYS_getpid + 100000), ENOSYS);
    CHECK_EQUAL(EOVERFLOW, 75);
    CHECK_EQUAL(EADDRINUSE, 98);
    CHECK_EQUAL(ENOTSUP, EOPNOTSUPP);
}

static void heap(void)
{
    unsigned char *blocks[64];

    for (unsigned i = 0; i < 64; i++) {
        blocks[i] = malloc(i * 977);
        CHECK(blocks[i]);
        memset(blocks[i], (int)i, i * 977);
    }
    for (unsigned i = 1; i < 64; i++)
        CHECK(blocks[i][0] == i && blocks[i][i * 977 - 1] == i);
    for (unsigned i = 0; i < 64; i++)
        free(blocks[i]);
    void *big = malloc(8 << 20);
    CHECK(big);
    memset(big, 1, 8 << 20);
    free(big);
    CHECK_EQUAL(posix_memalign(&big, 8192, 100), 0);
    CHECK((uintptr_t)big % 8192 == 0);
    free(big);
    CHECK_EQUAL(posix_memalign(&big, 3, 100), EINVAL);
}

static void mappings(void)
{
    char *memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && (uintptr_t)memory % 4096 == 0);
    for (unsigned i = 0; i < 4 * 4096; i++)
        CHECK(memory[i] == 0);
    memory[5] = 9;
    CHECK_OK(munmap(memory + 2 * 4096, 2 * 4096));
    CHECK_EQUAL(memory[5], 9);
    CHECK_OK(munmap(memory, 2 * 4096));
    CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
}

static void eventfd_counter(void)
{
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    eventfd_t value = 0;

    CHECK_OK(fd);
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQUAL(value, 3);
    CHECK_ERROR(eventfd_read(fd, &value), EAGAIN);
    CHECK_OK(eventfd_write(fd, 2));
    CHECK_OK(eventfd_write(fd, 5));
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQUAL(value, 7);
    CHECK_ERROR(eventfd_write(fd, UINT64_MAX), EINVAL);
    CHECK_ERROR(read(fd, &value, 7), EINVAL);
    CHECK_EQUAL(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_OK(close(fd));
}

static void descriptors(void)
{
    int fd = eventfd(0, 0);
    int copy = dup(fd);
    eventfd_t value = 0;

    CHECK_OK(copy);
    CHECK(copy > fd);
    CHECK_OK(eventfd_write(copy, 1));
    CHECK_OK(close(copy));
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQUAL(value, 1);
    CHECK_OK(close(fd));
    CHECK_ERROR(read(fd, &value, sizeof(value)), EBADF);
}

static void poll_one(void)
{
    int fd = eventfd(0, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN | POLLOUT};

    CHECK_EQUAL(poll(&wait, 1, 0), 1);
    CHECK_EQUAL(wait.revents, POLLOUT);
    wait.events = POLLIN;
    CHECK_EQUAL(poll(&wait, 1, 5), 0);
    CHECK_OK(eventfd_write(fd, 1));
    CHECK_EQUAL(poll(&wait, 1, -1), 1);
    CHECK_EQUAL(wait.revents, POLLIN);
    close(fd);
}

static void select_one(void)
{
    int fd = eventfd(1, 0);
    fd_set reads;
    struct timeval none = {0};

    FD_ZERO(&reads);
    FD_SET(fd, &reads);
    CHECK_EQUAL(select(fd + 1, &reads, NULL, NULL, &none), 1);
    CHECK(FD_ISSET(fd, &reads));
    close(fd);
}

static void epoll_one(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, 0);
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = 0x123456789abcdef0}}, out;

    CHECK_OK(epoll);
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EEXIST);
    CHECK_EQUAL(epoll_wait(epoll, &out, 1, 0), 0);
    CHECK_OK(eventfd_write(fd, 1));
    CHECK_EQUAL(epoll_wait(epoll, &out, 1, -1), 1);
    CHECK(out.events == EPOLLIN && out.data.u64 == 0x123456789abcdef0);
    close(fd);
    close(epoll);
}

static void timer_file(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec soon = {.it_value = {.tv_nsec = 5000000}};
    uint64_t expirations = 0;

    CHECK_OK(fd);
    CHECK_OK(timerfd_settime(fd, 0, &soon, NULL));
    CHECK_EQUAL(read(fd, &expirations, sizeof(expirations)), 8);
    CHECK_EQUAL(expirations, 1);
    close(fd);
}

static void clocks(void)
{
    struct timespec before, after, pause = {.tv_nsec = 20000000};

    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &before));
    CHECK_OK(nanosleep(&pause, NULL));
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &after));
    long long ns = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    CHECK(ns >= 20000000 && ns < 15000000000); /* of another unit it would be 20 s */
    CHECK_ERROR(clock_gettime(12345, &after), EINVAL);
}

static void device_files(void)
{
    struct stat status;
    char zeros[100];

    CHECK_OK(stat("/dev/null", &status));
    CHECK(S_ISCHR(status.st_mode) && major(status.st_rdev) == 1 && minor(status.st_rdev) == 3);
    int fd = open("/dev/null", O_RDWR);
    CHECK_OK(fd);
    CHECK_EQUAL(write(fd, "x", 1), 1);
    CHECK_EQUAL(read(fd, zeros, 1), 0);
    close(fd);
    fd = open("/dev/zero", O_RDONLY);
    memset(zeros, 1, sizeof(zeros));
    CHECK_EQUAL(read(fd, zeros, sizeof(zeros)), sizeof(zeros));
    CHECK(zeros[0] == 0 && zeros[99] == 0);
    close(fd);
}

static void ram_files(void)
{
    char text[32] = "";
    struct iovec vector[2] = {{"one ", 4}, {"two\n", 4}};
    int fd = open("/tmp/bulkhead-test", O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK_OK(fd);
    CHECK_EQUAL(writev(fd, vector, 2), 8);
    CHECK_EQUAL(pread(fd, text, 3, 4), 3);
    CHECK(strcmp(text, "two") == 0);
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 8);
    CHECK_OK(ftruncate(fd, 4));
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 4);
    close(fd);
    FILE *file = fopen("/tmp/bulkhead-test", "r");
    CHECK(file && fgets(text, sizeof(text), file));
    CHECK(strcmp(text, "one ") == 0);
    fclose(file);
    CHECK_OK(unlink("/tmp/bulkhead-test"));
    CHECK_ERROR(open("/tmp/bulkhead-test", O_RDONLY), ENOENT);
}

static void lines(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char *line = NULL;
    size_t size = 0;
    unsigned count = 0;

    CHECK(file);
    while (getline(&line, &size, file) > 0)
        count++;
    CHECK(count >= 3);
    free(line);
    fclose(file);
}

static void directories(void)
{
    DIR *directory = opendir("/dev");
    bool null = false;

    CHECK(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        null |= strcmp(entry->d_name, "null") == 0;
    CHECK(null);
    CHECK_EQUAL(closedir(directory), 0);
    CHECK(!opendir("/no/such/directory") && errno == ENOENT);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    caught = number;
    fault_address = info->si_addr;
    if (number == SIGSEGV)
        siglongjmp(back, 1);
}

static void signals(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO}, old;

    action.sa_sigaction = on_signal;
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(caught, SIGUSR1);
    CHECK_OK(sigaction(SIGSEGV, &action, NULL));
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)0x1234 = 1;
    CHECK_EQUAL(caught, SIGSEGV);
    CHECK_EQUAL(fault_address, 0x1234);
    signal(SIGSEGV, SIG_DFL);
}

static void signal_mask(void)
{
    sigset_t set, old;

    caught = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(caught, 0);
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_EQUAL(caught, SIGUSR1);
}

static void limits(void)
{
    struct rlimit limit;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &limit));
    CHECK(limit.rlim_cur > 0 && limit.rlim_cur <= limit.rlim_max);
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur >= 64);
}

static void identity(void)
{
    struct utsname name;
    unsigned char random[32] = {0};
    unsigned sum = 0;

    CHECK_OK(uname(&name));
    CHECK(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
    CHECK(getpid() > 0);
    CHECK_EQUAL(getrandom(random, sizeof(random), 0), sizeof(random));
    for (unsigned i = 0; i < sizeof(random); i++)
        sum += random[i];
    CHECK(sum > 0);
}

/* ---- what driver programs take from POSIX ---- */

#define FOLDER "/tmp/bulkhead-posix"

static void options(void)
{
    static const struct option known[] = {
        {"device", required_argument, NULL, 'd'}, {"quiet", no_argument, NULL, 'q'}, {0}};
    char *words[] = {"prog", "--device=edu", "-q", "file", "--device", "nvme", NULL};
    char seen[8] = "";
    int option;

    optind = 1;
    while ((option = getopt_long(6, words, "d:q", known, NULL)) != -1) {
        CHECK(option == 'd' || option == 'q');
        seen[strlen(seen)] = option == 'd' ? optarg[0] : 'q';
    }
    CHECK(strcmp(seen, "eqn") == 0);
    CHECK_EQUAL(optind, 5);
    CHECK(strcmp(words[5], "file") == 0);
}

static void expressions(void)
{
    const char *text = "at 0000:00:1f.6, group 7";
    regmatch_t found[3];
    regex_t expression;
    char why[80];

    CHECK_EQUAL(regcomp(&expression, "([0-9a-f]{2}):[0-9a-f]+\\.([0-7])", REG_EXTENDED), 0);
    CHECK_EQUAL(expression.re_nsub, 2);
    CHECK_EQUAL(regexec(&expression, text, 3, found, 0), 0);
    CHECK_EQUAL(found[0].rm_so, 8);
    CHECK_EQUAL(found[0].rm_eo, 15);
    CHECK(text[found[1].rm_so] == '0' && text[found[2].rm_so] == '6');
    CHECK_EQUAL(regexec(&expression, "nothing of it", 0, NULL, 0), REG_NOMATCH);
    regfree(&expression);
    CHECK_EQUAL(regcomp(&expression, "^EDU$", REG_ICASE | REG_NOSUB), 0);
    CHECK_EQUAL(regexec(&expression, "edu", 0, NULL, 0), 0);
    regfree(&expression);
    CHECK_EQUAL(regcomp(&expression, "(", REG_EXTENDED), REG_EPAREN);
    CHECK(regerror(REG_EPAREN, &expression, why, sizeof(why)) > 1 && why[0]);
}

static void patterns(void)
{
    CHECK_EQUAL(fnmatch("vfio*", "vfio12", 0), 0);
    CHECK_EQUAL(fnmatch("[0-9a-f]?:*.[!7]", "1f:02.0", 0), 0);
    CHECK_EQUAL(fnmatch("vfio[a-z]", "vfio1", 0), FNM_NOMATCH);
    CHECK_EQUAL(fnmatch("*", "a/b", FNM_PATHNAME), FNM_NOMATCH);
    CHECK_EQUAL(fnmatch("*", ".hidden", FNM_PERIOD), FNM_NOMATCH);
    CHECK_EQUAL(fnmatch("EDU", "edu", FNM_CASEFOLD), 0);
}

static bool make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Three files and a link in a folder. */
static bool make_folder(void)
{
    return mkdir(FOLDER, 0700) == 0 && make_file(FOLDER "/b1") && make_file(FOLDER "/a2") &&
           make_file(FOLDER "/c") && symlink("../bulkhead-posix/a2", FOLDER "/link") == 0;
}

static void clear_folder(void)
{
    unlink(FOLDER "/a2");
    unlink(FOLDER "/b1");
    unlink(FOLDER "/c");
    unlink(FOLDER "/link");
    rmdir(FOLDER);
}

static void globbing(void)
{
    glob_t found;

    CHECK(make_folder());
    CHECK_EQUAL(glob(FOLDER "/*[12]", 0, NULL, &found), 0);
    CHECK_EQUAL(found.gl_pathc, 2);
    CHECK(strcmp(found.gl_pathv[0], FOLDER "/a2") == 0);
    CHECK(strcmp(found.gl_pathv[1], FOLDER "/b1") == 0 && !found.gl_pathv[2]);
    globfree(&found);
    CHECK_EQUAL(glob(FOLDER "/nothing*", 0, NULL, &found), GLOB_NOMATCH);
    CHECK_EQUAL(glob(FOLDER "/nothing*", GLOB_NOCHECK, NULL, &found), 0);
    CHECK_EQUAL(found.gl_pathc, 1);
    globfree(&found);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void scanning(void)
{
    struct dirent **entries;
    DIR *directory = opendir(FOLDER);
    long place = -1;
    char second[256] = "";

    CHECK_EQUAL(scandir(FOLDER, &entries, not_hidden, alphasort), 4);
    CHECK(strcmp(entries[0]->d_name, "a2") == 0 && strcmp(entries[3]->d_name, "link") == 0);
    for (unsigned i = 0; i < 4; i++)
        free(entries[i]);
    free(entries);
    CHECK_EQUAL(scandir("/no/such/folder", &entries, NULL, NULL), -1);
    CHECK(directory && readdir(directory));
    place = telldir(directory);
    snprintf(second, sizeof(second), "%s", readdir(directory)->d_name);
    CHECK(readdir(directory));
    seekdir(directory, place);
    CHECK(strcmp(readdir(directory)->d_name, second) == 0);
    closedir(directory);
}

static void real_paths(void)
{
    char path[PATH_MAX];
    char *made = realpath(FOLDER "//./link", NULL);

    CHECK(made && strcmp(made, FOLDER "/a2") == 0);
    free(made);
    CHECK(realpath("/../tmp/..", path) && strcmp(path, "/") == 0);
    CHECK(!realpath(FOLDER "/none", path) && errno == ENOENT);
    CHECK(!realpath(FOLDER "/c/x", path) && errno == ENOTDIR);
    CHECK_OK(unlink(FOLDER "/link"));
    CHECK_OK(symlink("link", FOLDER "/link"));
    CHECK(!realpath(FOLDER "/link", path) && errno == ELOOP);
    char one[] = "/sys/bus/x", other[] = "/sys/bus/x";
    CHECK(strcmp(basename(one), "x") == 0 && strcmp(dirname(other), "/sys/bus") == 0);
}

static void moving(void)
{
    struct stat status;
    int folder = open(FOLDER, O_RDONLY | O_DIRECTORY);

    CHECK_OK(folder);
    CHECK_OK(rename(FOLDER "/c", FOLDER "/d"));
    CHECK_ERROR(stat(FOLDER "/c", &status), ENOENT);
    CHECK_OK(renameat(folder, "d", folder, "c"));
    CHECK_OK(faccessat(folder, "c", R_OK, 0));
    CHECK_OK(truncate(FOLDER "/c", 100));
    CHECK_OK(stat(FOLDER "/c", &status));
    CHECK_EQUAL(status.st_size, 100);
    CHECK_OK(mkdirat(folder, "sub", 0700));
    CHECK_OK(unlinkat(folder, "sub", AT_REMOVEDIR));
    CHECK_OK(close(folder));
    clear_folder();
    CHECK_ERROR(stat(FOLDER, &status), ENOENT);
}

static void text_functions(void)
{
    char *text = NULL, copy[] = "a,,b", *rest = copy;

    CHECK_EQUAL(asprintf(&text, "%s-%04x", "edu", 0x11e8), 8);
    CHECK(strcmp(text, "edu-11e8") == 0);
    free(text);
    text = strndup("0000:00:10.0", 7);
    CHECK(text && strcmp(text, "0000:00") == 0);
    free(text);
    CHECK(strcmp(strsep(&rest, ","), "a") == 0 && strsep(&rest, ",")[0] == '\0');
    CHECK(strcasecmp("NVMe", "nvme") == 0 && strchrnul("abc", 'x')[0] == '\0');
    CHECK(strcmp(program_invocation_short_name, "?") != 0);
}

struct item {
    int value;
    TAILQ_ENTRY(item) next;
};

static void queues(void)
{
    TAILQ_HEAD(, item) head = TAILQ_HEAD_INITIALIZER(head);
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 4}}, *each;
    int sum = 0;

    for (unsigned i = 0; i < 3; i++)
        TAILQ_INSERT_TAIL(&head, &items[i], next);
    TAILQ_REMOVE(&head, &items[1], next);
    TAILQ_FOREACH(each, &head, next)
    sum = sum * 10 + each->value;
    CHECK_EQUAL(sum, 14);
}

/* Does an address of IPv6 come back as this text? */
static bool round_6(const char *from, const char *to)
{
    struct in6_addr address;
    char text[INET6_ADDRSTRLEN];

    return inet_pton(AF_INET6, from, &address) == 1 &&
           inet_ntop(AF_INET6, &address, text, sizeof(text)) && strcmp(text, to) == 0;
}

static void addresses(void)
{
    struct in_addr four;
    struct in6_addr six;
    char text[INET_ADDRSTRLEN];

    CHECK_EQUAL(htons(0x1234), 0x3412);
    CHECK_EQUAL(ntohl(0x12345678), 0x78563412);
    CHECK_EQUAL(inet_pton(AF_INET, "10.0.2.15", &four), 1);
    CHECK_EQUAL(four.s_addr, 0x0f02000a);
    CHECK(inet_ntop(AF_INET, &four, text, sizeof(text)) && strcmp(text, "10.0.2.15") == 0);
    CHECK(strcmp(inet_ntoa(four), "10.0.2.15") == 0);
    CHECK(!inet_ntop(AF_INET, &four, text, 9) && errno == ENOSPC);
    CHECK_EQUAL(inet_pton(AF_INET, "10.0.2", &four), 0);
    CHECK_EQUAL(inet_pton(AF_INET, "10.0.2.256", &four), 0);
    CHECK_EQUAL(inet_pton(AF_INET, "10.0.2.1.", &four), 0);
    CHECK_ERROR(inet_pton(1000, "10.0.2.1", &four), EAFNOSUPPORT);
    CHECK(inet_aton("127.1", &four) && four.s_addr == htonl(INADDR_LOOPBACK));
    CHECK(!inet_aton("1.2.3.4.5", &four) && inet_addr("none") == INADDR_NONE);
    CHECK(round_6("fe80:0:0:0:5054:ff:FE12:3456", "fe80::5054:ff:fe12:3456"));
    CHECK(round_6("::", "::") && round_6("::1", "::1") && round_6("1::", "1::"));
    CHECK(round_6("1:0:0:2:0:0:0:3", "1:0:0:2::3") &&
          round_6("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"));
    CHECK(round_6("::ffff:10.0.2.2", "::ffff:10.0.2.2"));
    CHECK(inet_pton(AF_INET6, "1::2::3", &six) == 0 && inet_pton(AF_INET6, "1:2", &six) == 0);
    CHECK(inet_pton(AF_INET6, "12345::", &six) == 0 && inet_pton(AF_INET6, ":1::", &six) == 0);
    CHECK(inet_pton(AF_INET6, "1:2:3:4:5:6:7:8:9", &six) == 0);
}

static void frames(void)
{
    const struct ether_addr *mac = ether_aton("52:54:a0:12:34:56");

    CHECK(mac && mac->ether_addr_octet[2] == 0xa0 && mac->ether_addr_octet[5] == 0x56);
    CHECK(strcasecmp(ether_ntoa(mac), "52:54:a0:12:34:56") == 0 && !ether_aton("52:54:a0"));
    CHECK_EQUAL(sizeof(struct ether_header), 14);
    CHECK_EQUAL(sizeof(struct ether_arp), 28);
    CHECK_EQUAL(sizeof(struct iphdr), 20);
    CHECK_EQUAL(sizeof(struct ip6_hdr), 40);
    CHECK_EQUAL(sizeof(struct udphdr), 8);
    CHECK_EQUAL(sizeof(struct tcphdr), 20);
    CHECK_EQUAL(sizeof(struct icmphdr), 8);
    const uint8_t bytes[20] = {0x45, 0, 1, 2, [9] = IPPROTO_UDP};
    struct iphdr header;
    memcpy(&header, bytes, sizeof(header));
    CHECK(header.version == 4 && header.ihl == 5 && ntohs(header.tot_len) == 0x102);
    CHECK_EQUAL(header.protocol, IPPROTO_UDP);
}

static void waiting_for_signals(void)
{
    sigset_t set, pending;
    siginfo_t info;
    const struct timespec none = {0};
    int number = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
    CHECK_ERROR(sigtimedwait(&set, &info, &none), EAGAIN);
    CHECK_EQUAL(raise(SIGUSR2), 0);
    CHECK_OK(sigpending(&pending));
    CHECK_EQUAL(sigismember(&pending, SIGUSR2), 1);
    CHECK_EQUAL(sigwait(&set, &number), 0);
    CHECK_EQUAL(number, SIGUSR2);
    CHECK_OK(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 77}));
    CHECK_EQUAL(sigwaitinfo(&set, &info), SIGUSR2);
    CHECK_EQUAL(info.si_value.sival_int, 77);
    CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

/* An alarm ends both; its handler has run then. */
static void pausing(void)
{
    struct sigaction action = {0};
    struct itimerval soon = {.it_value = {.tv_usec = 20000}}, left;
    sigset_t none;

    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO;
    CHECK_OK(sigaction(SIGALRM, &action, NULL));
    caught = 0;
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERROR(pause(), EINTR);
    CHECK_EQUAL(caught, SIGALRM);
    caught = 0;
    sigemptyset(&none);
    CHECK_OK(setitimer(ITIMER_REAL, &soon, NULL));
    CHECK_ERROR(sigsuspend(&none), EINTR);
    CHECK_EQUAL(caught, SIGALRM);
    CHECK_OK(getitimer(ITIMER_REAL, &left));
    CHECK_EQUAL(left.it_value.tv_usec, 0);
    signal(SIGALRM, SIG_DFL);
}

/* Its lines are on standard error, or with glibc and musl nowhere: they look for somebody to tell.
 */
static void logging(void)
{
    openlog("libc", LOG_PID, LOG_USER);
    CHECK_EQUAL(setlogmask(LOG_UPTO(LOG_WARNING)), 0xff);
    errno = ENOENT;
    syslog(LOG_INFO, "this is masked");
    syslog(LOG_WARNING, "100%% of %s: %m", "it");
    CHECK_EQUAL(setlogmask(0), LOG_UPTO(LOG_WARNING));
    closelog();
}

static void machine(void)
{
    struct sysinfo info;
    struct statfs files;
    char name[100];
    cpu_set_t set;

    CHECK_OK(sysinfo(&info));
    CHECK(info.totalram * info.mem_unit > 1 << 20 && info.procs > 0);
    CHECK_OK(statfs("/tmp", &files));
    CHECK(files.f_bsize > 0);
    CHECK_OK(gethostname(name, sizeof(name)));
    CHECK(name[0]);
    CHECK_OK(sched_getaffinity(0, sizeof(set), &set));
    CHECK(CPU_COUNT(&set) >= 1 && CPU_COUNT(&set) == get_nprocs());
    CPU_ZERO(&set);
    CPU_SET(3, &set);
    CHECK(CPU_ISSET(3, &set) && !CPU_ISSET(2, &set) && CPU_COUNT(&set) == 1);
    CHECK_EQUAL(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK(getpriority(PRIO_PROCESS, 0) >= 0); /* as who starts it wants it */
    CHECK_OK(prctl(PR_SET_NAME, "driver"));
    CHECK_OK(prctl(PR_GET_NAME, name));
    CHECK(strcmp(name, "driver") == 0);
    CHECK_EQUAL(getpgid(0), getpgrp());
}

static void vectors(void)
{
    char one[4] = "", other[4] = "";
    struct iovec in[2] = {{one, 3}, {other, 3}};
    int fd = memfd_create("vectors", 0);

    CHECK_OK(fd);
    CHECK_OK(fallocate(fd, 0, 0, 4096));
    CHECK_EQUAL(pwrite(fd, "..abcdef", 8, 0), 8);
    CHECK_EQUAL(preadv(fd, in, 2, 2), 6);
    CHECK(strcmp(one, "abc") == 0 && strcmp(other, "def") == 0);
    CHECK_EQUAL(pwritev(fd, in, 2, 100), 6);
    CHECK_EQUAL(pread(fd, one, 3, 103), 3);
    CHECK(strcmp(one, "def") == 0);
    CHECK_OK(fdatasync(fd));
    close(fd);
}

static void no_terminal(void)
{
    struct termios modes = {.c_lflag = ECHO | ICANON, .c_iflag = ICRNL, .c_oflag = OPOST};
    int null = open("/dev/null", O_RDWR);

    CHECK_ERROR(tcgetattr(null, &modes), ENOTTY);
    CHECK_ERROR(tcsetattr(null, 99, &modes), EINVAL);
    close(null);
    modes.c_lflag = ECHO | ICANON;
    cfmakeraw(&modes);
    CHECK(!(modes.c_lflag & (ECHO | ICANON)) && modes.c_cc[VMIN] == 1);
}

static const struct conform_case cases[] = {
    CASE(start_up),      CASE(environment),    CASE(formatting),
    CASE(error_numbers), CASE(heap),           CASE(mappings),
    CASE(clocks),        CASE(limits),         CASE(eventfd_counter),
    CASE(descriptors),   CASE(poll_one),       CASE(select_one),
    CASE(epoll_one),     CASE(timer_file),     CASE(identity),
    CASE(device_files),  CASE(ram_files),      CASE(lines),
    CASE(directories),   CASE(signals),        CASE(signal_mask),
    CASE(options),       CASE(expressions),    CASE(patterns),
    CASE(globbing),      CASE(scanning),       CASE(real_paths),
    CASE(moving),        CASE(text_functions), CASE(queues),
    CASE(addresses),     CASE(frames),         CASE(waiting_for_signals),
    CASE(pausing),       CASE(logging),        CASE(machine),
    CASE(vectors),       CASE(no_terminal),
};

int main(int argc, char **argv)
{
    arguments = argv;
    clear_folder();
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
