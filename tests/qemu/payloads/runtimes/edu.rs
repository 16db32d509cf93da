// SPDX-License-Identifier: BSD-2-Clause
// QEMU's edu through VFIO from Rust: threads of std with a buffer each take turns at the device, and
// one more sleeps in read() for its interrupts. The C library is called for what std does not have.
// usage: edu ADDRESS THREADS ROUNDS
use std::fs::{read_link, File, OpenOptions};
use std::io::Read;
use std::os::raw::{c_int, c_ulong, c_void};
use std::os::unix::fs::FileExt;
use std::os::unix::io::{AsRawFd, FromRawFd, RawFd};
use std::sync::mpsc::{channel, Receiver};
use std::sync::{Arc, Mutex};
use std::{env, process, ptr, thread};

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn mmap(at: *mut c_void, size: usize, protection: c_int, flags: c_int, fd: c_int, offset: i64) -> *mut c_void;
    fn eventfd(initial: u32, flags: c_int) -> c_int;
}

const READ_WRITE: c_int = 3;
const SHARED: c_int = 1;
const PRIVATE_ANONYMOUS: c_int = 0x22;

const VFIO: c_ulong = 0x3b64;
const SET_IOMMU: c_ulong = VFIO + 2;
const GROUP_SET_CONTAINER: c_ulong = VFIO + 4;
const GROUP_GET_DEVICE_FD: c_ulong = VFIO + 6;
const DEVICE_GET_REGION_INFO: c_ulong = VFIO + 8;
const DEVICE_SET_IRQS: c_ulong = VFIO + 10;
const MAP_DMA: c_ulong = VFIO + 13;
const TYPE1V2: c_ulong = 3;
const BAR_0: u32 = 0;
const CONFIG: u32 = 7;
const MSI: u32 = 1;
const EVENTFD_TRIGGER: u32 = 4 | 32;

const SOURCE: usize = 0x80;
const TARGET: usize = 0x88;
const COUNT: usize = 0x90;
const COMMAND: usize = 0x98;
const ACKNOWLEDGE: usize = 0x64;
const BUFFER: u64 = 0x40000;
const RUN_AND_INTERRUPT: u64 = 1 | 4;
const TO_MEMORY: u64 = 2;

const PAGE: usize = 4096;
const BYTES: usize = 2000;
const IOVA: u64 = 0x1_0000_0000;

#[repr(C)]
#[derive(Default)]
struct RegionInfo {
    argsz: u32,
    flags: u32,
    index: u32,
    cap_offset: u32,
    size: u64,
    offset: u64,
}

#[repr(C)]
struct DmaMap {
    argsz: u32,
    flags: u32,
    vaddr: u64,
    iova: u64,
    size: u64,
}

#[repr(C)]
struct IrqSet {
    argsz: u32,
    flags: u32,
    index: u32,
    start: u32,
    count: u32,
    event: i32,
}

fn must(result: c_int, what: &str) -> c_int {
    if result < 0 {
        panic!("{}: {}", what, std::io::Error::last_os_error());
    }
    result
}

fn open(path: &str) -> File {
    OpenOptions::new().read(true).write(true).open(path).unwrap_or_else(|error| panic!("{}: {}", path, error))
}

/// The device, its registers, and what tells of interrupts: one thread at a time has it.
struct Device {
    _files: Vec<File>,
    registers: *mut u8,
    came: Receiver<u64>,
    interrupts: u64,
}
unsafe impl Send for Device {}

impl Device {
    fn put(&self, at: usize, value: u64) {
        unsafe { ptr::write_volatile(self.registers.add(at) as *mut u64, value) }
    }

    fn transfer(&mut self, from: u64, to: u64, direction: u64) {
        self.put(SOURCE, from);
        self.put(TARGET, to);
        self.put(COUNT, BYTES as u64);
        self.put(COMMAND, RUN_AND_INTERRUPT | direction);
        self.interrupts += self.came.recv().expect("an interrupt");
        unsafe { ptr::write_volatile(self.registers.add(ACKNOWLEDGE) as *mut u32, !0) }
    }
}

fn region(device: RawFd, index: u32) -> RegionInfo {
    let mut info = RegionInfo { argsz: std::mem::size_of::<RegionInfo>() as u32, index, ..Default::default() };
    must(unsafe { ioctl(device, DEVICE_GET_REGION_INFO, &mut info) }, "DEVICE_GET_REGION_INFO");
    info
}

/// A thread that sleeps in read() on an eventfd, and passes on what it reads.
fn listen(device: RawFd) -> Receiver<u64> {
    let event = must(unsafe { eventfd(0, 0) }, "eventfd");
    let set = IrqSet { argsz: 24, flags: EVENTFD_TRIGGER, index: MSI, start: 0, count: 1, event };
    must(unsafe { ioctl(device, DEVICE_SET_IRQS, &set) }, "DEVICE_SET_IRQS");
    let (tell, came) = channel();
    thread::spawn(move || {
        let mut file = unsafe { File::from_raw_fd(event) };
        let mut count = [0u8; 8];
        while file.read_exact(&mut count).is_ok() && tell.send(u64::from_ne_bytes(count)).is_ok() {}
    });
    came
}

fn open_device(name: &str, container: &File) -> Device {
    let link = read_link(format!("/sys/bus/pci/devices/{}/iommu_group", name)).expect("iommu_group");
    let group = open(&format!("/dev/vfio/{}", link.file_name().unwrap().to_str().unwrap()));
    let name = format!("{}\0", name);
    let container_fd: c_int = container.as_raw_fd();
    must(unsafe { ioctl(group.as_raw_fd(), GROUP_SET_CONTAINER, &container_fd) }, "GROUP_SET_CONTAINER");
    must(unsafe { ioctl(container_fd, SET_IOMMU, TYPE1V2) }, "SET_IOMMU");
    let fd = must(unsafe { ioctl(group.as_raw_fd(), GROUP_GET_DEVICE_FD, name.as_ptr()) }, "GROUP_GET_DEVICE_FD");
    let file = unsafe { File::from_raw_fd(fd) };
    file.write_all_at(&6u16.to_le_bytes(), region(fd, CONFIG).offset + 4).expect("command register");
    let bar = region(fd, BAR_0);
    let registers = unsafe { mmap(ptr::null_mut(), bar.size as usize, READ_WRITE, SHARED, fd, bar.offset as i64) };
    assert!(registers as isize != -1, "mmap BAR 0");
    Device { registers: registers as *mut u8, came: listen(fd), interrupts: 0, _files: vec![group, file] }
}

/// Pages of the program that the device reaches at IOVA.
fn dma_memory(container: &File, size: usize) -> usize {
    let at = unsafe { mmap(ptr::null_mut(), size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0) };
    assert!(at as isize != -1, "memory");
    let map = DmaMap { argsz: 32, flags: 3, vaddr: at as u64, iova: IOVA, size: size as u64 };
    must(unsafe { ioctl(container.as_raw_fd(), MAP_DMA, &map) }, "MAP_DMA");
    at as usize
}

/// One thread: its two pages go through the device, again and again. How often they came back right.
fn work(device: &Mutex<Device>, memory: usize, number: usize, rounds: usize) -> usize {
    let (at, iova) = (memory + 2 * number * PAGE, IOVA + (2 * number * PAGE) as u64);
    let out = unsafe { std::slice::from_raw_parts_mut(at as *mut u8, BYTES) };
    let mut good = 0;
    for round in 0..rounds {
        let wanted: Vec<u8> = (0..BYTES).map(|i| (i * 7 + number * 31 + round) as u8).collect();
        out.copy_from_slice(&wanted);
        {
            let mut device = device.lock().unwrap();
            device.transfer(iova, BUFFER, 0);
            device.transfer(BUFFER, iova + PAGE as u64, TO_MEMORY);
        }
        let back: Vec<u8> = (0..BYTES).map(|i| unsafe { ptr::read_volatile((at + PAGE + i) as *const u8) }).collect();
        good += (back == wanted) as usize;
    }
    good
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let (threads, rounds): (usize, usize) = (args[2].parse().unwrap(), args[3].parse().unwrap());
    let container = open("/dev/vfio/vfio");
    let device = Arc::new(Mutex::new(open_device(&args[1], &container)));
    let memory = dma_memory(&container, 2 * threads * PAGE);
    let workers: Vec<_> = (0..threads)
        .map(|number| {
            let device = Arc::clone(&device);
            thread::spawn(move || work(&device, memory, number, rounds))
        })
        .collect();
    let good: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    let interrupts = device.lock().unwrap().interrupts;
    println!("rust: {} threads: {} of {} round trips ok, {} interrupts", threads, good, threads * rounds, interrupts);
    let caught = std::panic::catch_unwind(|| panic!("on purpose"));
    println!("rust: a panic is caught: {}", caught.is_err());
    process::exit((good != threads * rounds || interrupts != 2 * good as u64) as i32);
}
