/* SPDX-License-Identifier: GPL-2.0-only */
/* Pieces of memory that are taken one by one and go together. */
#include "core/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIECES 300

/* More than one large block's worth; nobody's bytes are anybody else's, whatever the size. */
static void test_pieces_are_apart(void **state)
{
	static const size_t sizes[] = {1, 24, 1000, 65536, 100000, 700000};
	struct slab slab = {0};
	unsigned char *pieces[PIECES];

	for (size_t i = 0; i < PIECES; i++) {
		size_t size = sizes[i % 6];

		pieces[i] = slab_take(&slab, size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)(i & 0xff), size);
	}
	for (size_t i = 0; i < PIECES; i++) {
		assert_int_equal(pieces[i][0], i & 0xff);
		assert_int_equal(pieces[i][sizes[i % 6] - 1], i & 0xff);
	}
	slab_free(&slab);
	assert_null(slab.blocks);
	assert_non_null(slab_take(&slab, 8)); /* it may be used again */
	slab_free(&slab);
}

static void test_arrays_are_zeroed(void **state)
{
	static const size_t counts[] = {0, 1, 1000, 300000};

	for (size_t i = 0; i < 4; i++) {
		uint64_t *array = slab_array(counts[i], sizeof(*array));

		assert_non_null(array);
		for (size_t n = 0; n < counts[i]; n++)
			assert_int_equal(array[n], 0);
		memset(array, 0xff, counts[i] * sizeof(*array));
		free(array);
	}
}

static void test_too_much(void **state)
{
	assert_null(slab_array(SIZE_MAX / 4, 8));
	assert_null(slab_array(SIZE_MAX / 2, 1));
	assert_null(slab_array(SIZE_MAX, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_are_apart),
		cmocka_unit_test(test_arrays_are_zeroed),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
