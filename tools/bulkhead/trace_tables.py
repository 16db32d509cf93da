# SPDX-License-Identifier: BSD-2-Clause
"""What --trace makes of numbers: the arguments of Linux' system calls, and the names of their flags (x86-64); and what
is behind the ioctl commands of devices (include/uapi has their names and structures)."""


def flags(words):
    """ "RDWR=2 CREAT=0100" -> {2: "RDWR", 64: "CREAT"}; a number in octal begins with 0."""
    pairs = (word.split("=") for word in words.split())
    return {int(number, 8 if number[:1] == "0" and number[1:2].isdigit() else 0): name for name, number in pairs}


OPEN = flags("""O_CREAT=0100 O_EXCL=0200 O_NOCTTY=0400 O_TRUNC=01000 O_APPEND=02000 O_NONBLOCK=04000 O_SYNC=04010000
    O_DSYNC=010000 O_DIRECT=040000 O_LARGEFILE=0100000 O_TMPFILE=020200000 O_DIRECTORY=0200000 O_NOFOLLOW=0400000 O_NOATIME=01000000
    O_CLOEXEC=02000000 O_PATH=010000000""")
ACCESS_MODES = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")

# Bits that may stand together. What is left over is shown in hexadecimal, and nothing at all as the second word or 0.
SETS = {
    "prot": (flags("PROT_READ=1 PROT_WRITE=2 PROT_EXEC=4 PROT_GROWSDOWN=0x1000000"), "PROT_NONE"),
    "msync": (flags("MS_ASYNC=1 MS_INVALIDATE=2 MS_SYNC=4"), "0"),
    "mremap": (flags("MREMAP_MAYMOVE=1 MREMAP_FIXED=2 MREMAP_DONTUNMAP=4"), "0"),
    "mlockall": (flags("MCL_CURRENT=1 MCL_FUTURE=2 MCL_ONFAULT=4"), "0"),
    "mlock": (flags("MLOCK_ONFAULT=1"), "0"),
    "pipe": (flags("O_NONBLOCK=04000 O_CLOEXEC=02000000"), "0"),
    "eventfd": (flags("EFD_SEMAPHORE=1 EFD_NONBLOCK=04000 EFD_CLOEXEC=02000000"), "0"),
    "timerfd": (flags("TFD_NONBLOCK=04000 TFD_CLOEXEC=02000000"), "0"),
    "settime": (flags("TFD_TIMER_ABSTIME=1 TFD_TIMER_CANCEL_ON_SET=2"), "0"),
    "epollfd": (flags("EPOLL_CLOEXEC=02000000"), "0"),
    "sleep": (flags("TIMER_ABSTIME=1"), "0"),
    "memfd": (flags("MFD_CLOEXEC=1 MFD_ALLOW_SEALING=2 MFD_HUGETLB=4 MFD_NOEXEC_SEAL=8 MFD_EXEC=16"), "0"),
    "at": (flags("AT_SYMLINK_NOFOLLOW=0x100 AT_REMOVEDIR=0x200 AT_SYMLINK_FOLLOW=0x400 AT_NO_AUTOMOUNT=0x800 AT_EMPTY_PATH=0x1000"), "0"),
    "random": (flags("GRND_NONBLOCK=1 GRND_RANDOM=2 GRND_INSECURE=4"), "0"),
    "access": (flags("X_OK=1 W_OK=2 R_OK=4"), "F_OK"),
    "poll": (flags("POLLIN=1 POLLPRI=2 POLLOUT=4 POLLERR=8 POLLHUP=0x10 POLLNVAL=0x20 POLLRDNORM=0x40 POLLRDBAND=0x80 "
                   "POLLWRNORM=0x100 POLLWRBAND=0x200 POLLRDHUP=0x2000"), "0"),
    "epoll": (flags("EPOLLIN=1 EPOLLPRI=2 EPOLLOUT=4 EPOLLERR=8 EPOLLHUP=0x10 EPOLLRDNORM=0x40 EPOLLRDBAND=0x80 "
                    "EPOLLWRNORM=0x100 EPOLLWRBAND=0x200 EPOLLRDHUP=0x2000 EPOLLEXCLUSIVE=0x10000000 EPOLLWAKEUP=0x20000000 "
                    "EPOLLONESHOT=0x40000000 EPOLLET=0x80000000"), "0"),
    "clone": (flags("CLONE_VM=0x100 CLONE_FS=0x200 CLONE_FILES=0x400 CLONE_SIGHAND=0x800 CLONE_PIDFD=0x1000 CLONE_PTRACE=0x2000 "
                    "CLONE_VFORK=0x4000 CLONE_PARENT=0x8000 CLONE_THREAD=0x10000 CLONE_NEWNS=0x20000 CLONE_SYSVSEM=0x40000 "
                    "CLONE_SETTLS=0x80000 CLONE_PARENT_SETTID=0x100000 CLONE_CHILD_CLEARTID=0x200000 CLONE_DETACHED=0x400000 "
                    "CLONE_UNTRACED=0x800000 CLONE_CHILD_SETTID=0x1000000"), "0"),
    "map": (flags("MAP_SHARED=1 MAP_PRIVATE=2 MAP_SHARED_VALIDATE=3 MAP_FIXED=0x10 MAP_ANONYMOUS=0x20 MAP_32BIT=0x40 "
                  "MAP_GROWSDOWN=0x100 MAP_DENYWRITE=0x800 MAP_EXECUTABLE=0x1000 MAP_LOCKED=0x2000 MAP_NORESERVE=0x4000 "
                  "MAP_POPULATE=0x8000 MAP_NONBLOCK=0x10000 MAP_STACK=0x20000 MAP_HUGETLB=0x40000 MAP_SYNC=0x80000 "
                  "MAP_FIXED_NOREPLACE=0x100000"), "0"),
}
# One of them.
CHOICES = {
    "whence": flags("SEEK_SET=0 SEEK_CUR=1 SEEK_END=2 SEEK_DATA=3 SEEK_HOLE=4"),
    "clock": flags("CLOCK_REALTIME=0 CLOCK_MONOTONIC=1 CLOCK_PROCESS_CPUTIME_ID=2 CLOCK_THREAD_CPUTIME_ID=3 CLOCK_MONOTONIC_RAW=4 "
                   "CLOCK_REALTIME_COARSE=5 CLOCK_MONOTONIC_COARSE=6 CLOCK_BOOTTIME=7 CLOCK_REALTIME_ALARM=8 "
                   "CLOCK_BOOTTIME_ALARM=9 CLOCK_TAI=11"),
    "epollop": flags("EPOLL_CTL_ADD=1 EPOLL_CTL_DEL=2 EPOLL_CTL_MOD=3"),
    "madvise": flags("MADV_NORMAL=0 MADV_RANDOM=1 MADV_SEQUENTIAL=2 MADV_WILLNEED=3 MADV_DONTNEED=4 MADV_FREE=8 MADV_REMOVE=9 "
                     "MADV_DONTFORK=10 MADV_DOFORK=11 MADV_MERGEABLE=12 MADV_UNMERGEABLE=13 MADV_HUGEPAGE=14 MADV_NOHUGEPAGE=15 "
                     "MADV_DONTDUMP=16 MADV_DODUMP=17 MADV_WIPEONFORK=18 MADV_KEEPONFORK=19 MADV_COLD=20 MADV_PAGEOUT=21 "
                     "MADV_POPULATE_READ=22 MADV_POPULATE_WRITE=23 MADV_DONTNEED_LOCKED=24 MADV_COLLAPSE=25"),
    "limit": flags("RLIMIT_CPU=0 RLIMIT_FSIZE=1 RLIMIT_DATA=2 RLIMIT_STACK=3 RLIMIT_CORE=4 RLIMIT_RSS=5 RLIMIT_NPROC=6 "
                   "RLIMIT_NOFILE=7 RLIMIT_MEMLOCK=8 RLIMIT_AS=9 RLIMIT_LOCKS=10 RLIMIT_SIGPENDING=11 RLIMIT_MSGQUEUE=12 "
                   "RLIMIT_NICE=13 RLIMIT_RTPRIO=14 RLIMIT_RTTIME=15"),
    "how": flags("SIG_BLOCK=0 SIG_UNBLOCK=1 SIG_SETMASK=2"),
    "fcntl": flags("F_DUPFD=0 F_GETFD=1 F_SETFD=2 F_GETFL=3 F_SETFL=4 F_GETLK=5 F_SETLK=6 F_SETLKW=7 F_DUPFD_CLOEXEC=1030 "
                   "F_SETPIPE_SZ=1031 F_GETPIPE_SZ=1032 F_ADD_SEALS=1033 F_GET_SEALS=1034"),
    "archprctl": flags("ARCH_SET_GS=0x1001 ARCH_SET_FS=0x1002 ARCH_GET_FS=0x1003 ARCH_GET_GS=0x1004"),
    "futex": flags("FUTEX_WAIT=0 FUTEX_WAKE=1 FUTEX_REQUEUE=3 FUTEX_CMP_REQUEUE=4 FUTEX_WAKE_OP=5 FUTEX_LOCK_PI=6 FUTEX_UNLOCK_PI=7 "
                   "FUTEX_TRYLOCK_PI=8 FUTEX_WAIT_BITSET=9 FUTEX_WAKE_BITSET=10 FUTEX_WAIT_REQUEUE_PI=11 FUTEX_CMP_REQUEUE_PI=12"),
    "itimer": flags("ITIMER_REAL=0 ITIMER_VIRTUAL=1 ITIMER_PROF=2"),
}

# Name: its arguments, and behind -> how the result is shown if not as a number. A word is one of SETS or CHOICES, or: fd
# and dirfd descriptors; path and string text; buffer bytes; x an address; h hexadecimal; d (of 32 bits), l and u decimal;
# o octal; others are structures. With > in front it is memory that the call writes: shown when it has. mode is there only
# for a call that creates.
CALLS = {name.strip(): words.split() for name, words in (line.split(":") for line in """
    read: fd >buffer u
    write: fd buffer u
    open: path open mode -> fd
    creat: path o -> fd
    close: fd
    stat: path >stat
    fstat: fd >stat
    lstat: path >stat
    poll: pollfds u d
    lseek: fd l whence
    mmap: x u prot mapflags fd h -> x
    mprotect: x u prot
    munmap: x u
    brk: x -> x
    rt_sigaction: signal x x u
    rt_sigprocmask: how x x u
    rt_sigreturn:
    ioctl: fd command structure
    pread64: fd >buffer u l
    pwrite64: fd buffer u l
    readv: fd >vectors d
    writev: fd vectors d
    preadv: fd >vectors d l
    pwritev: fd vectors d l
    access: path access
    pipe: >fds
    select: d x x x x
    sched_yield:
    mremap: x u u mremap x -> x
    msync: x u msync
    mincore: x u x
    madvise: x u madvise
    dup: fd -> fd
    dup2: fd d -> fd
    dup3: fd d pipe -> fd
    pause:
    nanosleep: time x
    getitimer: itimer x
    setitimer: itimer x x
    alarm: u
    getpid:
    clone: cloneflags x x x x
    exit: d
    exit_group: d
    kill: d signal
    tkill: d signal
    tgkill: d d signal
    uname: x
    fcntl: fd fcntl h
    flock: fd h
    fsync: fd
    fdatasync: fd
    truncate: path l
    ftruncate: fd l
    getdents64: fd x u
    getcwd: >buffer u
    chdir: path
    fchdir: fd
    rename: path path
    mkdir: path o
    rmdir: path
    unlink: path
    symlink: string path
    readlink: path >buffer u
    chmod: path o
    fchmod: fd o
    umask: o -> o
    gettimeofday: x x
    getrlimit: limit x
    setrlimit: limit x
    prlimit64: d limit x x
    getuid:
    getgid:
    geteuid:
    getegid:
    getppid:
    gettid:
    statfs: path x
    fstatfs: fd x
    mlock: x u
    mlock2: x u mlock
    munlock: x u
    mlockall: mlockall
    munlockall:
    arch_prctl: archprctl x
    futex: x futexop u time x h
    set_tid_address: x
    set_robust_list: x u
    epoll_create: d -> fd
    epoll_create1: epollfd -> fd
    epoll_ctl: fd epollop fd epollevent
    epoll_wait: fd >epollevents d d
    epoll_pwait: fd >epollevents d d x u
    epoll_pwait2: fd >epollevents d time x u
    clock_gettime: clock >time
    clock_getres: clock >time
    clock_nanosleep: clock sleep time x
    openat: dirfd path open mode -> fd
    mkdirat: dirfd path o
    newfstatat: dirfd path >stat at
    unlinkat: dirfd path at
    renameat: dirfd path dirfd path
    renameat2: dirfd path dirfd path h
    symlinkat: string dirfd path
    readlinkat: dirfd path >buffer u
    fchmodat: dirfd path o
    faccessat: dirfd path access
    faccessat2: dirfd path access at
    pselect6: d x x x x x
    ppoll: pollfds u time x u
    timerfd_create: clock timerfd -> fd
    timerfd_settime: fd settime x x
    timerfd_gettime: fd x
    eventfd: u -> fd
    eventfd2: u eventfd -> fd
    fallocate: fd h l l
    pipe2: >fds pipe
    getrandom: x u random
    memfd_create: string memfd -> fd
    statx: dirfd path at h x
    close_range: u u h
    sync:
    setsid:
    getpgrp:
    getpgid: d
    getsid: d
    getgroups: d x
    prctl: d h h h h
    getpriority: d d
    setpriority: d d d
    sched_getparam: d x
    sched_getscheduler: d
    sched_setscheduler: d d x
    sched_get_priority_max: d
    sched_get_priority_min: d
    sched_getaffinity: d u x
    sched_setaffinity: d u x
    mbind: x u d x u h
    get_mempolicy: x x u x h
    set_mempolicy: d x u
    membarrier: d h d
    pidfd_open: d h -> fd
    signalfd4: d x u h -> fd
    socket: d h d -> fd
    getcpu: x x x
    sysinfo: x
    time: x
    rt_sigtimedwait: x x x u
    rt_sigsuspend: x u
    rt_sigpending: x u
    sigaltstack: x x
    """.strip().splitlines())}

# The ioctl commands of devices -> their structure, or how the argument is shown.
COMMANDS = {
    "VFIO_GET_API_VERSION": "x",
    "VFIO_CHECK_EXTENSION": "extension",
    "VFIO_SET_IOMMU": "extension",
    "VFIO_GROUP_GET_STATUS": "vfio_group_status",
    "VFIO_GROUP_SET_CONTAINER": "fdpointer",
    "VFIO_GROUP_UNSET_CONTAINER": "x",
    "VFIO_GROUP_GET_DEVICE_FD": "string",
    "VFIO_DEVICE_GET_INFO": "vfio_device_info",
    "VFIO_DEVICE_GET_REGION_INFO": "vfio_region_info",
    "VFIO_DEVICE_GET_IRQ_INFO": "vfio_irq_info",
    "VFIO_DEVICE_SET_IRQS": "vfio_irq_set",
    "VFIO_DEVICE_RESET": "x",
    "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO": "vfio_pci_hot_reset_info",
    "VFIO_DEVICE_PCI_HOT_RESET": "vfio_pci_hot_reset",
    "VFIO_DEVICE_IOEVENTFD": "vfio_device_ioeventfd",
    "VFIO_DEVICE_FEATURE": "vfio_device_feature",
    "VFIO_DEVICE_BIND_IOMMUFD": "vfio_device_bind_iommufd",
    "VFIO_DEVICE_ATTACH_IOMMUFD_PT": "vfio_device_attach_iommufd_pt",
    "VFIO_DEVICE_DETACH_IOMMUFD_PT": "vfio_device_detach_iommufd_pt",
    "VFIO_IOMMU_GET_INFO": "vfio_iommu_type1_info",
    "VFIO_IOMMU_MAP_DMA": "vfio_iommu_type1_dma_map",
    "VFIO_IOMMU_UNMAP_DMA": "vfio_iommu_type1_dma_unmap",
    "VFIO_IOMMU_ENABLE": "x",
    "VFIO_IOMMU_DISABLE": "x",
    "VFIO_IOMMU_DIRTY_PAGES": "vfio_iommu_type1_dirty_bitmap",
    "IOMMU_DESTROY": "iommu_destroy",
    "IOMMU_IOAS_ALLOC": "iommu_ioas_alloc",
    "IOMMU_IOAS_IOVA_RANGES": "iommu_ioas_iova_ranges",
    "IOMMU_IOAS_ALLOW_IOVAS": "iommu_ioas_allow_iovas",
    "IOMMU_IOAS_MAP": "iommu_ioas_map",
    "IOMMU_IOAS_MAP_FILE": "iommu_ioas_map_file",
    "IOMMU_IOAS_COPY": "iommu_ioas_copy",
    "IOMMU_IOAS_UNMAP": "iommu_ioas_unmap",
    "IOMMU_IOAS_CHANGE_PROCESS": "iommu_ioas_change_process",
    "IOMMU_OPTION": "iommu_option",
    "IOMMU_VFIO_IOAS": "iommu_vfio_ioas",
    "IOMMU_HWPT_ALLOC": "iommu_hwpt_alloc",
    "IOMMU_GET_HW_INFO": "iommu_hw_info",
    "IOMMU_HWPT_SET_DIRTY_TRACKING": "iommu_hwpt_set_dirty_tracking",
    "IOMMU_HWPT_GET_DIRTY_BITMAP": "iommu_hwpt_get_dirty_bitmap",
    "IOMMU_HWPT_INVALIDATE": "iommu_hwpt_invalidate",
    "IOMMU_FAULT_QUEUE_ALLOC": "iommu_fault_alloc",
    "IOMMU_VIOMMU_ALLOC": "iommu_viommu_alloc",
    "IOMMU_VDEVICE_ALLOC": "iommu_vdevice_alloc",
    "IOMMU_VEVENTQ_ALLOC": "iommu_veventq_alloc",
    "IOMMU_HW_QUEUE_ALLOC": "iommu_hw_queue_alloc",
    "DFL_FPGA_GET_API_VERSION": "x",
    "DFL_FPGA_CHECK_EXTENSION": "x",
    "DFL_FPGA_PORT_RESET": "x",
    "DFL_FPGA_PORT_GET_INFO": "dfl_fpga_port_info",
    "DFL_FPGA_PORT_GET_REGION_INFO": "dfl_fpga_port_region_info",
    "DFL_FPGA_PORT_DMA_MAP": "dfl_fpga_port_dma_map",
    "DFL_FPGA_PORT_DMA_UNMAP": "dfl_fpga_port_dma_unmap",
    "DFL_FPGA_PORT_ERR_GET_IRQ_NUM": "number",
    "DFL_FPGA_PORT_ERR_SET_IRQ": "dfl_fpga_irq_set",
    "DFL_FPGA_PORT_UINT_GET_IRQ_NUM": "number",
    "DFL_FPGA_PORT_UINT_SET_IRQ": "dfl_fpga_irq_set",
    "DFL_FPGA_FME_PORT_PR": "dfl_fpga_fme_port_pr",
    "DFL_FPGA_FME_PORT_RELEASE": "fdpointer",
    "DFL_FPGA_FME_PORT_ASSIGN": "fdpointer",
    "DFL_FPGA_FME_ERR_GET_IRQ_NUM": "number",
    "DFL_FPGA_FME_ERR_SET_IRQ": "dfl_fpga_irq_set",
}
# Commands whose answer is a descriptor.
GIVES_FD = {"VFIO_GROUP_GET_DEVICE_FD"}
# Other commands that programs use: of terminals and files.
OTHER_COMMANDS = flags("TCGETS=0x5401 TCSETS=0x5402 TCSETSW=0x5403 TCSETSF=0x5404 TIOCGPGRP=0x540f TIOCGWINSZ=0x5413 FIONREAD=0x541b "
                       "FIONBIO=0x5421 FIONCLEX=0x5450 FIOCLEX=0x5451")

# A member `flags` -> how the names of its bits begin; what else is named, by structure and member.
FLAGS = {
    "vfio_group_status": "VFIO_GROUP_FLAGS_",
    "vfio_device_info": "VFIO_DEVICE_FLAGS_",
    "vfio_region_info": "VFIO_REGION_INFO_FLAG_",
    "vfio_irq_info": "VFIO_IRQ_INFO_",
    "vfio_irq_set": ("VFIO_IRQ_SET_DATA_", "VFIO_IRQ_SET_ACTION_"),
    "vfio_pci_hot_reset_info": "VFIO_PCI_HOT_RESET_FLAG_",
    "vfio_device_ioeventfd": "VFIO_DEVICE_IOEVENTFD_",
    "vfio_device_bind_iommufd": "VFIO_DEVICE_BIND_FLAG_",
    "vfio_device_attach_iommufd_pt": "VFIO_DEVICE_ATTACH_",
    "vfio_device_detach_iommufd_pt": "VFIO_DEVICE_DETACH_",
    "vfio_iommu_type1_info": "VFIO_IOMMU_INFO_",
    "vfio_iommu_type1_dma_map": "VFIO_DMA_MAP_FLAG_",
    "vfio_iommu_type1_dma_unmap": "VFIO_DMA_UNMAP_FLAG_",
    "vfio_iommu_type1_dirty_bitmap": "VFIO_IOMMU_DIRTY_PAGES_FLAG_",
    "iommu_ioas_map": "IOMMU_IOAS_MAP_",
    "iommu_ioas_map_file": "IOMMU_IOAS_MAP_",
    "iommu_ioas_copy": "IOMMU_IOAS_MAP_",
    "iommu_hwpt_alloc": "IOMMU_HWPT_ALLOC_",
    "iommu_hw_info": "IOMMU_HW_INFO_FLAG_",
    "iommu_hwpt_set_dirty_tracking": "IOMMU_HWPT_DIRTY_TRACKING_",
    "iommu_hwpt_get_dirty_bitmap": "IOMMU_HWPT_GET_DIRTY_BITMAP_",
    "dfl_fpga_port_region_info": ("DFL_PORT_REGION_READ", "DFL_PORT_REGION_WRITE", "DFL_PORT_REGION_MMAP"),
}
NAMED = {
    ("vfio_region_info", "index"): "VFIO_PCI_*_REGION_INDEX",
    ("vfio_irq_info", "index"): "VFIO_PCI_*_IRQ_INDEX",
    ("vfio_irq_set", "index"): "VFIO_PCI_*_IRQ_INDEX",
    ("iommu_option", "option_id"): "IOMMU_OPTION_[RH]*",
    ("iommu_option", "op"): "IOMMU_OPTION_OP_*",
    ("iommu_vfio_ioas", "op"): "IOMMU_VFIO_IOAS_*",
    ("iommu_hwpt_alloc", "data_type"): "IOMMU_HWPT_DATA_*",
    ("iommu_hw_info", "in_data_type"): "IOMMU_HW_INFO_TYPE_*",
    ("dfl_fpga_port_region_info", "index"): "DFL_PORT_REGION_INDEX_*",
}

# How an IOMMU says what it refused (kernel/iommu/fault.c has the same words).
FAULT_REASONS = {
    0x01: "the root entry is not present",
    0x02: "the device has no context entry",
    0x03: "the context entry is invalid",
    0x04: "the address is beyond the domain's width",
    0x05: "no write permission",
    0x06: "no read permission",
    0x07: "the next page table could not be read",
    0x08: "the root table could not be read",
    0x09: "the context table could not be read",
    0x0a: "reserved bits in the root entry",
    0x0b: "reserved bits in the context entry",
    0x0c: "reserved bits in a page-table entry",
    0x0d: "the device may not use translated requests",
    0x20: "reserved bits in the interrupt request",
    0x21: "no such interrupt-remapping entry",
    0x22: "the interrupt-remapping entry is not present",
    0x23: "the interrupt-remapping table could not be read",
    0x24: "reserved bits in the interrupt-remapping entry",
    0x25: "compatibility-format interrupts are blocked",
    0x26: "the interrupt came from the wrong source",
    0x27: "the posted-interrupt descriptor could not be read",
    0x28: "reserved bits in the posted-interrupt descriptor",
}
# si_code of what an instruction causes, by signal.
CODES = {
    "SIGILL": flags("ILL_ILLOPC=1 ILL_ILLOPN=2"),
    "SIGFPE": flags("FPE_INTDIV=1 FPE_INTOVF=2 FPE_FLTINV=7"),
    "SIGSEGV": flags("SEGV_MAPERR=1 SEGV_ACCERR=2"),
    "SIGBUS": flags("BUS_ADRALN=1 BUS_ADRERR=2"),
    "SIGTRAP": flags("TRAP_BRKPT=1 TRAP_TRACE=2"),
}
SENDERS = flags("SI_USER=0 SI_QUEUE=-1 SI_TIMER=-2 SI_TKILL=-6 SI_KERNEL=0x80")
EXCEPTIONS = {0: "divide error", 1: "debug", 3: "breakpoint", 4: "overflow", 5: "bound", 6: "invalid opcode", 7: "no FPU",
              11: "segment not present", 12: "stack fault", 13: "general protection fault", 14: "page fault", 16: "x87 error",
              17: "alignment check", 19: "SIMD error"}
