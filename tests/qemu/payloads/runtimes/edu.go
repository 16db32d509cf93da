// SPDX-License-Identifier: BSD-2-Clause

// QEMU's edu through VFIO from Go, without C: goroutines with a buffer each take turns at the
// device, one more sleeps in read() for its interrupts, and the collector runs meanwhile.
// usage: edu ADDRESS THREADS ROUNDS
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"unsafe"
)

const (
	vfio                = 0x3b64
	setIommu            = vfio + 2
	groupSetContainer   = vfio + 4
	groupGetDeviceFd    = vfio + 6
	deviceGetRegionInfo = vfio + 8
	deviceSetIrqs       = vfio + 10
	mapDma              = vfio + 13
	type1v2             = 3
	bar0                = 0
	config              = 7
	msi                 = 1
	eventfdTrigger      = 4 | 32

	source          = 0x80
	target          = 0x88
	count           = 0x90
	command         = 0x98
	acknowledge     = 0x64
	buffer          = 0x40000
	runAndInterrupt = 1 | 4
	toMemory        = 2

	page  = 4096
	size  = 2000
	iova0 = 0x100000000
)

type regionInfo struct {
	argsz, flags, index, capOffset uint32
	size, offset                   uint64
}

type dmaMap struct {
	argsz, flags      uint32
	vaddr, iova, size uint64
}

type irqSet struct {
	argsz, flags, index, start, count uint32
	event                             int32
}

// The device, and what tells of its interrupts: one goroutine at a time has it.
type device struct {
	sync.Mutex
	registers  []byte
	came       chan uint64
	interrupts uint64
}

func must(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "go: %s: %v\n", what, err)
		os.Exit(1)
	}
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer, what string) int {
	result, _, number := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	if number != 0 {
		must(number, what)
	}
	return int(result)
}

func open(path string) int {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	must(err, path)
	return fd
}

func region(fd int, index uint32) regionInfo {
	info := regionInfo{index: index}
	info.argsz = uint32(unsafe.Sizeof(info))
	ioctl(fd, deviceGetRegionInfo, unsafe.Pointer(&info), "DEVICE_GET_REGION_INFO")
	return info
}

// Sleeps in read() on an eventfd, and passes on what it reads.
func listen(fd int) chan uint64 {
	event, _, number := syscall.Syscall(syscall.SYS_EVENTFD2, 0, 0, 0)
	if number != 0 {
		must(number, "eventfd")
	}
	set := irqSet{argsz: 24, flags: eventfdTrigger, index: msi, count: 1, event: int32(event)}
	ioctl(fd, deviceSetIrqs, unsafe.Pointer(&set), "DEVICE_SET_IRQS")
	came := make(chan uint64)
	go func() {
		runtime.LockOSThread()
		words := make([]byte, 8)
		for {
			if got, err := syscall.Read(int(event), words); got != 8 || err != nil {
				must(err, "eventfd")
			}
			came <- binary.LittleEndian.Uint64(words)
		}
	}()
	return came
}

func openDevice(name string, container int) *device {
	link, err := os.Readlink("/sys/bus/pci/devices/" + name + "/iommu_group")
	must(err, "iommu_group")
	group := open("/dev/vfio/" + filepath.Base(link))
	descriptor := int32(container)
	ioctl(group, groupSetContainer, unsafe.Pointer(&descriptor), "GROUP_SET_CONTAINER")
	if _, _, number := syscall.Syscall(syscall.SYS_IOCTL, uintptr(container), setIommu, type1v2); number != 0 {
		must(number, "SET_IOMMU")
	}
	text := append([]byte(name), 0)
	fd := ioctl(group, groupGetDeviceFd, unsafe.Pointer(&text[0]), "GROUP_GET_DEVICE_FD")
	_, err = syscall.Pwrite(fd, []byte{6, 0}, int64(region(fd, config).offset)+4)
	must(err, "command register")
	bar := region(fd, bar0)
	registers, err := syscall.Mmap(fd, int64(bar.offset), int(bar.size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	must(err, "mmap BAR 0")
	return &device{registers: registers, came: listen(fd)}
}

func (d *device) put(at int, value uint64) {
	*(*uint64)(unsafe.Pointer(&d.registers[at])) = value
}

func (d *device) transfer(from, to, direction uint64) {
	d.put(source, from)
	d.put(target, to)
	d.put(count, size)
	d.put(command, runAndInterrupt|direction)
	d.interrupts += <-d.came
	*(*uint32)(unsafe.Pointer(&d.registers[acknowledge])) = ^uint32(0)
}

// Pages of the program that the device reaches at iova0; the collector knows nothing of them.
func dmaMemory(container, length int) []byte {
	memory, err := syscall.Mmap(-1, 0, length, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	must(err, "memory")
	request := dmaMap{argsz: 32, flags: 3, vaddr: uint64(uintptr(unsafe.Pointer(&memory[0]))), iova: iova0, size: uint64(length)}
	ioctl(container, mapDma, unsafe.Pointer(&request), "MAP_DMA")
	return memory
}

// One goroutine: its two pages go through the device, again and again. How often they came back right.
func work(d *device, memory []byte, number, rounds int) int {
	good, at := 0, 2*number*page
	for round := 0; round < rounds; round++ {
		wanted := make([]byte, size)
		for i := range wanted {
			wanted[i] = byte(i*7 + number*31 + round)
		}
		copy(memory[at:], wanted)
		d.Lock()
		d.transfer(iova0+uint64(at), buffer, 0)
		d.transfer(buffer, iova0+uint64(at)+page, toMemory)
		d.Unlock()
		if bytes.Equal(memory[at+page:at+page+size], wanted) {
			good++
		}
		runtime.GC()
	}
	return good
}

func main() {
	threads, err := strconv.Atoi(os.Args[2])
	must(err, "THREADS")
	rounds, err := strconv.Atoi(os.Args[3])
	must(err, "ROUNDS")
	container := open("/dev/vfio/vfio")
	d := openDevice(os.Args[1], container)
	memory := dmaMemory(container, 2*threads*page)
	results := make(chan int)
	for number := 0; number < threads; number++ {
		go func(number int) {
			runtime.LockOSThread()
			results <- work(d, memory, number, rounds)
		}(number)
	}
	good := 0
	for number := 0; number < threads; number++ {
		good += <-results
	}
	fmt.Printf("go: %d threads: %d of %d round trips ok, %d interrupts\n", threads, good, threads*rounds, d.interrupts)
	if good != threads*rounds || d.interrupts != uint64(2*good) {
		os.Exit(1)
	}
}
