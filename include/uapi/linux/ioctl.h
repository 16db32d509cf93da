/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an ioctl command is put together: number 7:0, type 15:8, argument size 29:16, direction
 * 31:30 as the program sees it (1 it writes the argument, 2 it reads it).
 */
#ifndef UAPI_LINUX_IOCTL_H
#define UAPI_LINUX_IOCTL_H

#define _IOC_NONE  0U
#define _IOC_WRITE 1U
#define _IOC_READ  2U

#define _IOC_NRSHIFT   0
#define _IOC_TYPESHIFT 8
#define _IOC_SIZESHIFT 16
#define _IOC_DIRSHIFT  30

#define _IOC(direction, type, number, size)                                                        \
    (((direction) << _IOC_DIRSHIFT) | ((type) << _IOC_TYPESHIFT) | ((number) << _IOC_NRSHIFT) |    \
     ((size) << _IOC_SIZESHIFT))

#define _IO(type, number)            _IOC(_IOC_NONE, (type), (number), 0)
#define _IOR(type, number, argument) _IOC(_IOC_READ, (type), (number), sizeof(argument))
#define _IOW(type, number, argument) _IOC(_IOC_WRITE, (type), (number), sizeof(argument))
#define _IOWR(type, number, argument)                                                              \
    _IOC(_IOC_READ | _IOC_WRITE, (type), (number), sizeof(argument))

#define _IOC_NR(command)   (((command) >> _IOC_NRSHIFT) & 0xff)
#define _IOC_TYPE(command) (((command) >> _IOC_TYPESHIFT) & 0xff)
#define _IOC_SIZE(command) (((command) >> _IOC_SIZESHIFT) & 0x3fff)
#define _IOC_DIR(command)  (((command) >> _IOC_DIRSHIFT) & 3)

#endif
