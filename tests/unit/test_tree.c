/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows, nodes, and the walk over them. */
#include "tests/unit/tree_fixture.h"

/* ---- rows ---- */

static void rows_bring_their_directories_and_take_them_along(void **state)
{
    assert_non_null(find("/sys/class/a"));
    assert_int_equal(tree_add_text("/sys/class/a/name", show, ""), -EEXIST);
    assert_int_equal(tree_add_text("/sys/class/a/name/x", show, ""), -EEXIST);
    assert_int_equal(tree_add_directory("/sys/class"), 0); /* was there only for its rows */
    assert_int_equal(tree_add_directory("/sys/class"), -EEXIST);
    tree_remove("/sys/class/a");
    assert_null(find("/sys/class/a"));
    assert_non_null(find("/sys/class/b/name"));
    tree_remove("/sys/class/b/name");
    assert_null(find("/sys/class/b"));
    assert_non_null(find("/sys/class")); /* asked for by itself */
    tree_remove("/sys");
    assert_null(find("/sys"));
    tree_remove("/nowhere");
    tree_remove("/dev/x");
    assert_null(find("/dev"));
}

static void rows_fail_whole(void **state)
{
    for (uint64_t n = 1;; n++) {
        size_t before = heap_used();
        host_fail_nth(n);
        int error = tree_add_link("/one/two/three", "target");
        if (!host_failed()) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_null(find("/one"));
        assert_int_equal(heap_used(), before);
    }
    host_fail_nth(0);
    char name[NODE_NAME_MAX + 3] = "/";
    memset(name + 1, 'x', NODE_NAME_MAX + 1);
    assert_int_equal(tree_add_text(name, show, ""), -ENAMETOOLONG);
    name[NODE_NAME_MAX + 1] = 0;
    assert_int_equal(tree_add_text(name, show, ""), 0);
}

static void texts_of_a_folder_fail_whole(void **state)
{
    static const struct tree_text texts[] = {TREE_READ("name maps/size", show),
                                             TREE_READ("event", show)};
    char folder[200] = "/sys/class/c/";

    for (uint64_t n = 1;; n++) {
        size_t before = heap_used();
        host_fail_nth(n);
        int error = tree_add_texts("/sys/class/c", texts, ARRAY_SIZE(texts), "");
        if (!host_failed()) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_null(find("/sys/class/c"));
        assert_int_equal(heap_used(), before);
    }
    host_fail_nth(0);
    assert_non_null(find("/sys/class/c/name"));
    assert_non_null(find("/sys/class/c/maps/size"));
    assert_non_null(find("/sys/class/c/event"));
    memset(folder + strlen(folder), 'x', 120);
    assert_int_equal(tree_add_texts(folder, texts, 1, ""), -ENAMETOOLONG);
    folder[strlen("/sys/class/c/") + 100] = 0;
    assert_int_equal(tree_add_texts(folder, texts, 1, ""), 0);
}

/* ---- nodes ---- */

static void a_node_knows_its_path(void **state)
{
    char buffer[64];
    assert_int_equal(node_path(node_root(), buffer, sizeof(buffer)), 1);
    assert_string_equal(buffer, "/");
    assert_int_equal(node_path(find("/sys/class/a"), buffer, sizeof(buffer)), 12);
    assert_string_equal(buffer, "/sys/class/a");
    assert_int_equal(node_path(find("/sys/class/a"), buffer, 12), -ERANGE);
    assert_int_equal(node_path(find("/sys/class/a"), buffer, 13), 12);
    assert_int_equal(node_path(node_root(), buffer, 1), -ERANGE);
}

static void nodes_run_out_with_an_error(void **state)
{
    char path[32];
    struct node *tmp = find("/tmp");
    struct node *node;
    int error = 0;
    for (unsigned i = 0; !error && i <= NODE_QUOTA; i++) {
        format(path, sizeof(path), "%u", i);
        error =
            node_add(tmp, path, strlen(path), NODE_DIRECTORY, 0755, (union node_content){0}, &node);
        tmp = error ? tmp : node; /* as deep as can be: removal must not recurse */
    }
    assert_int_equal(error, -ENOSPC);
}

/* Many names in no order, half of them removed again: each is found by its own name only. */
static void each_name_finds_its_own_node(void **state)
{
    const unsigned count = 5000;
    char name[32];
    struct node *tmp = find("/tmp");
    struct node *node;
    for (unsigned i = 0; i < count; i++) {
        format(name, sizeof(name), "%u", i * 7919 % 100003);
        assert_int_equal(
            node_add(tmp, name, strlen(name), NODE_DIRECTORY, 0755, (union node_content){0}, &node),
            0);
        assert_int_equal(
            node_add(tmp, name, strlen(name), NODE_DIRECTORY, 0755, (union node_content){0}, &node),
            -EEXIST);
    }
    for (unsigned i = 0; i < count; i += 2) {
        format(name, sizeof(name), "%u", i * 7919 % 100003);
        node_remove(node_find(tmp, name, strlen(name)));
    }
    for (unsigned i = 0; i < count; i++) {
        format(name, sizeof(name), "%u", i * 7919 % 100003);
        node = node_find(tmp, name, strlen(name));
        assert_int_equal(!node, i % 2 == 0);
        assert_true(!node || strcmp(node->name, name) == 0);
    }
    /* One name may be the beginning of another. */
    assert_int_equal(node_add(tmp, "beg", 3, NODE_DIRECTORY, 0755, (union node_content){0}, &node),
                     0);
    assert_int_equal(
        node_add(tmp, "beginning", 9, NODE_DIRECTORY, 0755, (union node_content){0}, &node), 0);
    assert_null(node_find(tmp, "beginning", 5));
    assert_ptr_equal(node_find(tmp, "beginning", 9), node);
    assert_string_equal(node_find(tmp, "beginning", 3)->name, "beg");
}

/* ---- the walk ---- */

static void a_walk_ends_where_links_and_dots_lead(void **state)
{
    static const struct {
        const char *path;
        unsigned flags;
        int error;
        const char *end; /* where it leads, or NULL */
    } rows[] = {
        {"/", 0, 0, "/"},
        {"//", 0, 0, "/"},
        {"/..", 0, 0, "/"},
        {"/.", 0, 0, "/"},
        {"/sys/class", 0, 0, "/sys/class"},
        {"/sys//class/./a/", 0, 0, "/sys/class/a"},
        {"/sys/class/../class/a/..", 0, 0, "/sys/class"},
        {"sys", 0, 0, "/sys"},
        {"/sys/a", 0, 0, "/sys/a"},
        {"/sys/a", PATH_FOLLOW, 0, "/sys/class/a"},
        {"/sys/a/", 0, 0, "/sys/class/a"},
        {"/sys/a/name", 0, 0, "/sys/class/a/name"},
        {"/sys/a/..", 0, 0, "/sys/class"},
        {"/abs/name", 0, 0, "/sys/class/b/name"},
        {"/abs", PATH_FOLLOW, 0, "/sys/class/b"},
        {"", 0, -ENOENT, NULL},
        {"/none", 0, -ENOENT, NULL},
        {"/none/x", PATH_PARENT, -ENOENT, NULL},
        {"/none", PATH_PARENT, 0, NULL},
        {"/sys/class/a/name/", 0, -ENOTDIR, NULL},
        {"/sys/class/a/name/x", PATH_PARENT, -ENOTDIR, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place place;
        int error = path_walk(node_root(), rows[i].path, rows[i].flags, &place);
        if (error != rows[i].error)
            fail_msg("%s: %d instead of %d", rows[i].path, error, rows[i].error);
        if (error)
            continue;
        if (!rows[i].end)
            assert_null(place.node);
        else
            assert_ptr_equal(place.node, find(rows[i].end));
    }
}

static void long_names_and_endless_links_are_refused(void **state)
{
    struct place place;
    char *path = malloc(PATH_MAX_BYTES + 2);
    memset(path, '/', PATH_MAX_BYTES + 1);
    path[PATH_MAX_BYTES] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), -ENAMETOOLONG);
    path[PATH_MAX_BYTES - 1] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), 0);
    memset(path + 1, 'x', NODE_NAME_MAX + 1);
    path[NODE_NAME_MAX + 2] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), -ENAMETOOLONG);
    path[NODE_NAME_MAX + 1] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), -ENOENT);
    free(path);
    assert_int_equal(tree_add_link("/loop", "loop"), 0);
    assert_int_equal(path_walk(node_root(), "/loop", PATH_FOLLOW, &place), -ELOOP);
    assert_int_equal(tree_add_link("/slow", "./slow/x"), 0); /* longer each time */
    assert_int_equal(path_walk(node_root(), "/slow/y", 0, &place), -ELOOP);
}

/* What another thread does in the middle of a walk. */
static const char *removed_meanwhile;

static int remove_meanwhile(const char *point, enum thread_hears hears)
{
    if (removed_meanwhile)
        tree_remove(removed_meanwhile);
    removed_meanwhile = NULL;
    return 0;
}

static int end_meanwhile(const char *point, enum thread_hears hears)
{
    return -EINTR;
}

static void rows_go_during_a_walk(void **state)
{
    struct place place;
    struct node *start = node_get(find("/sys/class/a"));
    host_breath = remove_meanwhile;
    host_breath_work = breath_left = 0;
    removed_meanwhile = "/sys/class/a";
    assert_int_equal(path_walk(start, "name", 0, &place), -ENOENT);
    node_put(start);
    assert_int_equal(tree_add_text("/sys/class/a/name", show, "a"), 0);
    removed_meanwhile = "/sys/class/a";
    assert_int_equal(rename_path(node_root(), "/sys/class/a/name", node_root(), "/tmp/x", false),
                     -ENOENT);
    host_breath = end_meanwhile;
    assert_int_equal(path_walk(node_root(), "/tmp/x", PATH_PARENT, &place), -EINTR);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_bring_their_directories_and_take_them_along),
        TEST(rows_fail_whole),
        TEST(texts_of_a_folder_fail_whole),
        TEST(a_walk_ends_where_links_and_dots_lead),
        TEST(long_names_and_endless_links_are_refused),
        TEST(a_node_knows_its_path),
        TEST(nodes_run_out_with_an_error),
        TEST(each_name_finds_its_own_node),
        TEST(rows_go_during_a_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
