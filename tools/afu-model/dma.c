/* SPDX-License-Identifier: BSD-2-Clause */
#include "dma.h"

#include <string.h>
#include <sys/file.h>

static enum walk_fault move_request(const struct memory *memory, const struct walk_request *request,
                                    void *data)
{
    uint8_t *found;
    enum walk_fault fault = walk(memory, request, &found);

    if (fault != WALK_GOOD)
        return fault;
    memcpy(request->write ? found : data, request->write ? data : found, request->length);
    return WALK_GOOD;
}

/* The tables as they are now: nothing is remembered from one move to the next. */
static enum walk_fault find_tables(struct dma *dma, struct walk_request *request)
{
    bool on = false;

    if (!machine_unit(&dma->machine, &on, &request->root) ||
        !machine_requester(&dma->machine, dma->id, &request->requester))
        return WALK_NO_MACHINE;
    return on ? WALK_GOOD : WALK_OFF;
}

static enum walk_fault move_all(struct dma *dma, bool write, uint64_t iova, uint8_t *data,
                                uint64_t length, uint64_t *refused)
{
    struct walk_request request = {.write = write};
    enum walk_fault fault = find_tables(dma, &request);

    for (uint64_t done = 0; fault == WALK_GOOD && done < length; done += request.length) {
        request.iova = *refused = iova + done;
        request.length = WALK_PAGE - request.iova % WALK_PAGE;
        if (request.length > length - done)
            request.length = length - done;
        fault = move_request(&dma->memory, &request, data + done);
    }
    return fault;
}

static enum machine_pause hold_machine(struct dma *dma)
{
    if (!machine_go_on(&dma->machine, dma->monitor)) /* left from the last time */
        return MACHINE_GONE;
    if (dma->machine.socket < 0 && !machine_connect(&dma->machine, dma->monitor))
        return MACHINE_GONE;
    return machine_pause(&dma->machine);
}

enum dma_outcome dma_move(struct dma *dma, bool write, uint64_t iova, void *data, uint64_t length,
                          struct dma_refusal *why)
{
    struct dma_refusal refusal = {.iova = iova, .fault = WALK_NO_MACHINE};

    /* A machine may have several cards, and the pause of one must not end by another's. */
    if (flock(dma->memory.file, LOCK_EX))
        return DMA_LATER;
    enum machine_pause paused = hold_machine(dma);
    if (paused == MACHINE_PAUSED)
        refusal.fault = move_all(dma, write, iova, data, length, &refusal.iova);
    (void)machine_go_on(&dma->machine, dma->monitor);
    flock(dma->memory.file, LOCK_UN);
    if (paused == MACHINE_AT_REST)
        return DMA_LATER;
    if (refusal.fault == WALK_GOOD)
        return DMA_DONE;
    *why = refusal;
    return DMA_REFUSED;
}
