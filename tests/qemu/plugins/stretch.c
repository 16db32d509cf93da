/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QEMU plugin that measures, from outside, for how many instructions the kernel keeps interrupts
 * out. A stretch begins where they were let in: at STI, and when user mode ran. It is long once it
 * has LONG_STRETCH instructions of kernel code. At its end every long one is written as one line:
 *
 *   PHASE LENGTH FIRST,FIRST,... SAMPLE,SAMPLE,...
 *
 * PHASE is `boot` before user mode ran for the first time, then `run`. FIRST are the first places
 * of the stretch, which tell the call; SAMPLE is where the kernel was each SAMPLE_EVERY
 * instructions, which tells the loop. Both are addresses of the kernel.
 *
 * Instructions of a repeated string operation count one by one only with -icount. Written against
 * QEMU's plugin interface, versions 1 to STRETCH_VERSION: only what all of them have in the same
 * form, declared here because distributions do not ship the header.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LONG_STRETCH UINT64_C(100000)
#define SAMPLE_EVERY UINT64_C(50000)
#define FIRST        40
#define SAMPLES      40
#define KERNEL_HALF  UINT64_C(0xffff800000000000)

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_translated)(plugin_id id, struct qemu_plugin_tb *tb);
typedef void (*executed)(unsigned cpu, void *data);
typedef void (*ended)(plugin_id id, void *data);

enum { NO_REGISTERS = 0 }; /* what the callbacks need of the guest's */

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, tb_translated callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed callback,
                                          int registers, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed callback,
                                            int registers, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, ended callback, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

__attribute__((visibility("default"))) extern int qemu_plugin_version;
int qemu_plugin_version = STRETCH_VERSION;
__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info,
                                                               int argc, char **argv);

static struct {
    uint64_t length;
    uint64_t first[FIRST];
    uint64_t samples[SAMPLES];
    unsigned firsts, sampled;
} now;

static FILE *out;
static bool in_kernel; /* since the last time in user mode */
static bool returning; /* IRETQ in the kernel was the last instruction seen */
static bool started;   /* user mode has run */

static void write_places(const uint64_t *places, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fprintf(out, "%c%" PRIx64, i ? ',' : ' ', places[i]);
}

static void end_stretch(void)
{
    if (now.length >= LONG_STRETCH) {
        fprintf(out, "%s %" PRIu64, started ? "run" : "boot", now.length);
        write_places(now.first, now.firsts);
        write_places(now.samples, now.sampled);
        fputc('\n', out);
        fflush(out);
    }
    now.length = 0;
    now.firsts = now.sampled = 0;
}

/* What the callback of a block of kernel code is given: where it is, and its instructions. */
static void kernel_ran(unsigned cpu, void *data)
{
    /* The address in the kernel's half takes 47 bits at most, the number of instructions the rest.
     */
    uint64_t packed = (uintptr_t)data;
    uint64_t at = packed >> 16 | UINT64_C(0xffff) << 48;
    uint64_t before = now.length;

    now.length += packed & 0xffff;
    in_kernel = true;
    returning = false;
    if (now.firsts < FIRST)
        now.first[now.firsts++] = at;
    if (now.length / SAMPLE_EVERY != before / SAMPLE_EVERY && now.sampled < SAMPLES)
        now.samples[now.sampled++] = at;
}

static void user_ran(unsigned cpu, void *data)
{
    if (!in_kernel)
        return;
    end_stretch();
    started |= returning;
    in_kernel = false;
}

static void let_in(unsigned cpu, void *data)
{
    end_stretch();
}

static void returns(unsigned cpu, void *data)
{
    returning = true;
}

static bool is(const struct qemu_plugin_insn *insn, const void *bytes, size_t length)
{
    const void *code = qemu_plugin_insn_haddr(insn);

    return qemu_plugin_insn_size(insn) == length && code && memcmp(code, bytes, length) == 0;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    uint64_t at = qemu_plugin_tb_vaddr(tb);
    size_t count = qemu_plugin_tb_n_insns(tb);

    if (at < KERNEL_HALF) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, user_ran, NO_REGISTERS, NULL);
        return;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, kernel_ran, NO_REGISTERS,
                                         (void *)(uintptr_t)(at << 16 | count));
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

        if (is(insn, "\xfb", 1)) /* STI */
            qemu_plugin_register_vcpu_insn_exec_cb(insn, let_in, NO_REGISTERS, NULL);
        if (is(insn, "\x48\xcf", 2)) /* IRETQ */
            qemu_plugin_register_vcpu_insn_exec_cb(insn, returns, NO_REGISTERS, NULL);
    }
}

static void machine_ended(plugin_id id, void *data)
{
    end_stretch();
    fputs("end\n", out);
    fclose(out);
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    const char prefix[] = "out=";

    if (argc != 1 || strncmp(argv[0], prefix, strlen(prefix)) != 0) {
        fprintf(stderr, "stretch: wants out=FILE\n");
        return -1;
    }
    out = fopen(argv[0] + strlen(prefix), "w");
    if (!out) {
        perror(argv[0]);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, machine_ended, NULL);
    return 0;
}
