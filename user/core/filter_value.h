/* SPDX-License-Identifier: GPL-2.0-only */
/* From the text of one alternative to a struct filter_value: what each key takes, and how to say so. */
#ifndef PORTSNOOP_CORE_FILTER_VALUE_H
#define PORTSNOOP_CORE_FILTER_VALUE_H

#include "core/filter_lex.h"
#include "core/filter_program.h"

/*
 * Reads an item that is not empty. Works in text, which has room for FILTER_ITEM_SIZE(item->length), and
 * leaves there what the value points to. Returns NULL, or what is wrong with the item, to be said after it:
 * "is above 65535".
 */
const char *filter_value_read(enum filter_value_kind kind, const struct filter_item *item,
			      const struct filter_resolver *resolver, char *text,
			      struct filter_value *ret_value);

/* "a port from 0 to 65535, …", to be said after "expected". Returns buf. */
#define FILTER_EXPECTED_SIZE 192
const char *filter_value_expected(enum filter_value_kind kind, char *buf);

#endif
