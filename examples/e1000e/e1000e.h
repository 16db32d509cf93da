/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small driver of Intel's 82574L network controller: one ring of frames to send, one of frames
 * received, and interrupts by INTx, MSI or MSI-X. Sections are those of its datasheet.
 */
#ifndef EXAMPLES_E1000E_H
#define EXAMPLES_E1000E_H

#include <bulkhead/device.h>

#define FRAME_SIZE 1514u /* at most, without the checksum that the device adds and takes away */

enum e1000e_interrupts {
    E1000E_INTX,
    E1000E_MSI,
    E1000E_MSIX, /* one for frames received, one for frames sent */
};

struct e1000e {
    struct device device;
    enum e1000e_interrupts mode;
    volatile uint8_t *registers;
    struct dma_memory receive_ring, send_ring, receive_frames, send_frames;
    unsigned receive_next; /* the entry that the next frame comes to */
    bool may_have_received;
    unsigned send_next, sent; /* the entries from `sent` to `send_next` are under way */
    int events[2];
    uint64_t
        interrupts[2]; /* that came so far: received and sent with MSI-X, else all in the first */
    uint8_t mac[6];
};

/* "intx", "msi" or "msix". False: another word. */
bool e1000e_mode(const char *word, enum e1000e_interrupts *mode);

/* Opens a controller and starts it. */
void e1000e_open(struct e1000e *nic, struct dma_space *space, const char *name,
                 enum e1000e_interrupts mode);

/* Starts the controller, whatever it did before, and waits until the link is there. */
void e1000e_start(struct e1000e *nic);

/* Ends it: it sends nothing, receives nothing, raises no interrupt. */
void e1000e_stop(struct e1000e *nic);

/* Sends a frame of `length` bytes, FRAME_SIZE at most. Sleeps while the ring is full. */
void e1000e_send(struct e1000e *nic, const uint8_t *frame, size_t length);

/* Sleeps until all frames have been sent. */
void e1000e_flush(struct e1000e *nic);

/* Sleeps until a frame comes; its length, 0 if none came in time. */
size_t e1000e_receive(struct e1000e *nic, uint8_t frame[FRAME_SIZE], int milliseconds);

#endif
