/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom a signal is for when several processes hold the row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model_fixture.h"
#include "view/top_signal.h"

static struct top_state at;
static struct top_row row_80;

/* Process 7 listens, and has so many children. */
static void hold(struct fixture *f, unsigned children)
{
	make_fact(&f->record, REC_BIND, 7, 1, 80);
	apply(f);
	make_fact(&f->record, REC_LISTEN, 7, 1, 80);
	apply(f);
	for (uint32_t i = 0; i < children; i++)
		apply_fork(f, 7, 1007 - i);
	row_80 = (struct top_row){.socket = row(f, 1)->socket, .n_sockets = 1, .n_who = children + 1};
	top_state_init(&at);
	at.selected = (struct rec_task){.pid = 7, .start_ns = START_OF(7)};
	at.n_selected = children + 1;
}

static void ask(struct fixture *f)
{
	assert_int_equal(top_state_key(&at, 'K'), WISH_CHOICES);
	top_signal_choices(&at, f->model, &row_80);
}

static void one_of_several_is_chosen(void **state)
{
	struct fixture *f = *state;

	hold(f, 2);
	ask(f);
	assert_int_equal(at.mode, MODE_CHOOSE);
	assert_int_equal(at.n_choices, 3);
	assert_int_equal(at.choices[0].pid, 7); /* by pid */
	assert_int_equal(at.choices[1].pid, 1006);
	top_state_key(&at, TOP_KEY_DOWN);
	top_state_key(&at, 'j');
	top_state_key(&at, 'j'); /* there are no more */
	assert_int_equal(at.choice, 2);
	top_state_key(&at, 'k');
	top_state_key(&at, TOP_KEY_ENTER);
	assert_int_equal(at.mode, MODE_SIGNAL);
	top_state_key(&at, TOP_KEY_ENTER);
	assert_int_equal(at.mode, MODE_CONFIRM);
	assert_int_equal(top_state_key(&at, 'y'), WISH_SIGNAL);
	assert_int_equal(at.victim.pid, 1006);
	assert_int_equal(at.victim.start_ns, START_OF(1006));
	assert_int_equal(at.victim.signal, 15);
}

static void the_ends_of_the_list_and_the_way_back(void **state)
{
	struct fixture *f = *state;

	hold(f, 3);
	ask(f);
	top_state_key(&at, 'G');
	assert_int_equal(at.choice, 3);
	top_state_key(&at, 'g');
	assert_int_equal(at.choice, 0);
	top_state_key(&at, TOP_KEY_ESCAPE);
	assert_int_equal(at.mode, MODE_TABLE);
	ask(f);
	assert_int_not_equal(top_state_key(&at, 'q'), WISH_QUIT);
	assert_int_equal(at.mode, MODE_TABLE);
}

static void sockets_of_one_place_share_the_row(void **state)
{
	struct fixture *f = *state;

	hold(f, 1);
	make_fact(&f->record, REC_BIND, 9, 2, 80);
	f->record.bind.fact.socket.state = row(f, 1)->socket.state;
	apply(f);
	make_fact(&f->record, REC_LISTEN, 9, 2, 80);
	apply(f);
	row_80.n_sockets = 2;
	ask(f);
	assert_int_equal(at.n_choices, 3);
	assert_int_equal(at.choices[1].pid, 9);
}

static void who_has_gone_is_not_asked_about(void **state)
{
	struct fixture *f = *state;

	hold(f, 1);
	make_record(&f->record, REC_EXIT);
	set_task(&f->record, 7);
	apply(f);
	ask(f);
	assert_int_equal(at.mode, MODE_SIGNAL); /* one is left */
	assert_int_equal(at.victim.pid, 1007);
	at.mode = MODE_TABLE;
	make_record(&f->record, REC_EXIT);
	set_task(&f->record, 1007);
	apply(f);
	ask(f);
	assert_int_equal(at.mode, MODE_TABLE);
	assert_true(at.message_is_error);
}

static void more_than_fit_are_counted(void **state)
{
	struct fixture *f = *state;

	hold(f, TOP_CHOICES_MAX + 10);
	ask(f);
	assert_int_equal(at.n_choices, TOP_CHOICES_MAX);
	assert_int_equal(at.n_holders, TOP_CHOICES_MAX + 11);
}

static void signals_have_their_names(void **state)
{
	char buf[32];
	struct text text = text_in(buf, sizeof(buf));

	top_put_signal(&text, 12);
	text_put(&text, ", ");
	top_put_signal(&text, 34);
	assert_string_equal(buf, "USR2 (12), signal 34");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_of_several_is_chosen, setup, teardown),
		cmocka_unit_test_setup_teardown(the_ends_of_the_list_and_the_way_back, setup, teardown),
		cmocka_unit_test_setup_teardown(sockets_of_one_place_share_the_row, setup, teardown),
		cmocka_unit_test_setup_teardown(who_has_gone_is_not_asked_about, setup, teardown),
		cmocka_unit_test_setup_teardown(more_than_fit_are_counted, setup, teardown),
		cmocka_unit_test(signals_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
