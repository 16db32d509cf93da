/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's own nodes: all of them, or none. What is in /dev and /proc is a few rows here. */
#include "kernel/linux/proc/nodes.h"
#include "tests/unit/tree_fixture.h"

int nodes_add_dev(void)
{
    int error = tree_add_device("/dev/null", 1, 3, open_device, NULL);
    return error ? error : tree_add_device("/dev/zero", 1, 5, open_device, NULL);
}

int nodes_add_proc(void)
{
    int error = tree_add_link("/proc/self", "1");
    if (!error)
        error = tree_add_text("/proc/1/maps", show, "");
    return error ? error : tree_add_text("/sys/class/a/more", show, ""); /* beside another's row */
}

int nodes_add_self(void)
{
    static const struct node_numbers none;
    int error = tree_add_text("/proc/1/comm", show, "");
    return error ? error : tree_add_numbers("/proc/1/fd", &none);
}

int nodes_add_fixed(void)
{
    return tree_add_link("/var/run", "/run");
}

int nodes_add_huge(void)
{
    return tree_add_text("/sys/kernel/mm/hugepages", show, "");
}

static const char *const own[] = {"/dev/hugepages",
                                  "/sys/kernel/mm/hugepages",
                                  "/tmp",
                                  "/dev/shm",
                                  "/run",
                                  "/proc/1/comm",
                                  "/proc/1/fd",
                                  "/var/run",
                                  "/dev/null",
                                  "/dev/zero",
                                  "/proc/self",
                                  "/proc/1/maps",
                                  "/sys/class/a/more"};

static void none_are_left(size_t heap)
{
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        assert_null(find(own[i]));
    assert_null(find("/proc"));
    assert_non_null(find("/dev/x"));
    assert_non_null(find("/sys/class/a/name"));
    assert_int_equal(heap_used(), heap);
}

static void a_failure_half_way_takes_all_back(void **state)
{
    uint64_t n = 1;
    int error;

    tree_remove("/tmp"); /* the fixture's */
    size_t heap = heap_used();
    for (;; n++) {
        host_fail_nth(n);
        error = nodes_add();
        if (!host_failed())
            break;
        assert_int_equal(error, -ENOMEM);
        none_are_left(heap);
    }
    host_fail_nth(0);
    assert_int_equal(error, 0);
    assert_true(n > ARRAY_SIZE(own)); /* each of them has failed once at least */
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        assert_non_null(find(own[i]));
    assert_true(find("/dev/hugepages")->writable && find("/dev/hugepages")->huge);
    assert_false(find("/dev/shm")->huge);
    assert_true(find("/tmp")->writable && find("/dev/shm")->writable);
    make("/tmp/made"); /* goes along with the nodes */
    nodes_remove();
    none_are_left(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failure_half_way_takes_all_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
