/* SPDX-License-Identifier: BSD-2-Clause */
/* What bridges have noted of errors: told once, then cleared. */
#include <stdio.h>
#include "kernel/lib/log.h"
#include "tests/unit/pci_fixture.h"

#define HOST PCI_RID(0, 0, 0)
#define PORT PCI_RID(0, 3, 0)
#define NIC0 PCI_RID(1, 0, 0)

static char told[2048];

static void write_told(const char *text, size_t length)
{
    strncat(told, text, length);
}

/* A status register that notes all errors and clears those written as ones. */
static void notes(struct sim_function *f, unsigned offset, uint16_t value)
{
    sim_set(f, offset, 2, value, 0);
    f->cleared[offset + 1] = 0xf9;
}

static void errors_are_told_once(void **state)
{
    static struct log_sink sink = {.write = write_told};
    struct sim_function *host, *port, *nic;
    uint64_t writes;

    log_add_sink(&sink);
    host = sim_add(0, HOST, 0x12378086, 0x060000);
    port = sim_add(0, PORT, 0x000c1b36, 0x060400);
    sim_bridge(port, 1, 1);
    nic = sim_add(0, NIC0, NIC, 0x020000);
    notes(host, 0x06, 0);
    notes(port, 0x06, 0x0010);
    notes(port, 0x1e, 0x2000); /* of enumeration */
    notes(nic, 0x06, 0x4000);  /* the payload's to see */
    enumerate();
    pci_clear_errors();
    assert_int_equal(sim_get(port, 0x1e, 2), 0);
    told[0] = 0;
    writes = sim_config_writes;
    pci_tell_errors();
    assert_string_equal(told, "");
    assert_int_equal(sim_config_writes, writes);

    notes(host, 0x06, 0x8000);
    notes(port, 0x06, 0x4010);
    notes(port, 0x1e, 0x6100);
    pci_tell_errors();
    assert_non_null(strstr(told, "pci: 0000:00:00.0 noted above it: parity error\n"));
    assert_non_null(strstr(told, "pci: 0000:00:03.0 noted above it: system error\n"));
    assert_non_null(strstr(told, "pci: 0000:00:03.0 noted below it: system error, master abort "
                                 "received, data parity error\n"));
    assert_int_equal(sim_get(port, 0x06, 2), 0x0010);
    assert_int_equal(sim_get(port, 0x1e, 2), 0);
    assert_int_equal(sim_get(nic, 0x06, 2), 0x4000);
    told[0] = 0;
    pci_tell_errors();
    assert_string_equal(told, "");
}

/* What does not answer has noted nothing, and what is in reset is not asked. */
static void a_bridge_that_is_gone_says_nothing(void **state)
{
    struct sim_function *port = sim_add(0, PORT, 0x000c1b36, 0x060400);
    uint64_t writes;

    sim_bridge(port, 1, 1);
    enumerate();
    notes(port, 0x06, 0xffff);
    notes(port, 0x1e, 0x4000);
    pci_find(0, PORT)->in_reset = true;
    writes = sim_config_writes;
    told[0] = 0;
    pci_tell_errors();
    pci_find(0, PORT)->in_reset = false;
    sim_set(port, 0x1e, 2, 0xffff, 0);
    pci_tell_errors();
    assert_string_equal(told, "");
    assert_int_equal(sim_config_writes, writes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(errors_are_told_once),
        TEST(a_bridge_that_is_gone_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
