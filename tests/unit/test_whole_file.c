/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MODE 0640

struct fixture {
	char directory[64];
	char path[128], other[128], draft[160];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->directory, "/tmp/portsnoop-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof(f->path), "%s/it", f->directory);
	snprintf(f->other, sizeof(f->other), "%s/other", f->directory);
	snprintf(f->draft, sizeof(f->draft), "%s.%d.tmp", f->path, (int)getpid());
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	unlink(f->other);
	assert_int_equal(rmdir(f->directory), 0); /* and so no draft is left */
	free(f);
	return 0;
}

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_has(const char *path, const char *text)
{
	char buffer[64] = "";
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	buffer[fread(buffer, 1, sizeof(buffer) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(buffer, text);
}

static mode_t type_of(const char *path)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	return status.st_mode & S_IFMT;
}

static int write_once(const char *path, const char *text)
{
	struct whole_file *file;
	int error = whole_file_new(path, MODE, &file);

	if (error)
		return error;
	error = whole_file_write(file, text, strlen(text));
	whole_file_free(file);
	return error;
}

static void is_made_and_replaced(void **state)
{
	struct fixture *f = *state;
	struct stat first;

	assert_int_equal(write_once(f->path, "one"), 0);
	assert_has(f->path, "one");
	assert_int_equal(stat(f->path, &first), 0);
	assert_int_equal(first.st_mode & 0777 & ~MODE, 0);
	assert_int_equal(write_once(f->path, "two"), 0);
	assert_has(f->path, "two");
	assert_int_equal(link(f->path, f->other), 0);
	assert_int_equal(write_once(f->path, "three"), 0);
	assert_has(f->other, "two"); /* who has it open reads on */
}

static void nothing_is_made_before_the_first(void **state)
{
	struct fixture *f = *state;
	struct whole_file *file;

	assert_int_equal(whole_file_new(f->path, MODE, &file), 0);
	whole_file_free(file);
	whole_file_free(NULL);
	assert_int_equal(access(f->path, F_OK), -1);
}

/* A device would do the same, and only root can make one. */
static void what_is_no_file_stays(void **state)
{
	struct fixture *f = *state;
	struct whole_file *file;

	assert_int_equal(whole_file_new(f->directory, MODE, &file), -EEXIST);
	assert_int_equal(whole_file_new("/dev/null", MODE, &file), -EEXIST);
	assert_int_equal(type_of("/dev/null"), S_IFCHR);
	assert_int_equal(mkfifo(f->path, MODE), 0);
	assert_int_equal(whole_file_new(f->path, MODE, &file), -EEXIST);
	assert_int_equal(type_of(f->path), S_IFIFO);
}

static void what_stops_being_one_stays(void **state)
{
	struct fixture *f = *state;
	struct whole_file *file;

	assert_int_equal(whole_file_new(f->path, MODE, &file), 0);
	assert_int_equal(whole_file_write(file, "one", 3), 0);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, MODE), 0);
	assert_int_equal(whole_file_write(file, "two", 3), -EEXIST);
	assert_int_equal(type_of(f->path), S_IFIFO);
	whole_file_free(file);
}

static void links_stay_links(void **state)
{
	struct fixture *f = *state;
	struct whole_file *file;

	assert_int_equal(symlink(f->other, f->path), 0);
	assert_int_equal(whole_file_new(f->path, MODE, &file), -ENOENT);
	put(f->other, "one");
	assert_int_equal(write_once(f->path, "two"), 0);
	assert_int_equal(type_of(f->path), S_IFLNK);
	assert_has(f->other, "two");
	assert_int_equal(unlink(f->other), 0);
	assert_int_equal(mkfifo(f->other, MODE), 0);
	assert_int_equal(whole_file_new(f->path, MODE, &file), -EEXIST);
}

/* In a directory that others may write to, too. */
static void a_foreign_draft_is_not_written_to(void **state)
{
	struct fixture *f = *state;

	put(f->other, "theirs");
	assert_int_equal(symlink(f->other, f->draft), 0);
	assert_int_equal(write_once(f->path, "one"), 0);
	assert_has(f->other, "theirs");
	assert_has(f->path, "one");
	assert_int_equal(link(f->other, f->draft), 0);
	assert_int_equal(write_once(f->path, "two"), 0);
	assert_has(f->other, "theirs");
	assert_has(f->path, "two");
}

static void the_old_one_stays_for_want_of_room(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, small;

	assert_int_equal(write_once(f->path, "one"), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){.rlim_cur = 2, .rlim_max = before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(write_once(f->path, "three"), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_has(f->path, "one");
}

static void no_directory(void **state)
{
	(void)state;
	assert_int_equal(write_once("/tmp/portsnoop-no-such-directory/it", "one"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_made_and_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_made_before_the_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_file_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stops_being_one_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links_stay_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_foreign_draft_is_not_written_to, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_old_one_stays_for_want_of_room, set_up, tear_down),
		cmocka_unit_test(no_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
