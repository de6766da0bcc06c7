/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/settled.h"

void settled_look(struct settled *settled, uint64_t count, bool final)
{
	uint64_t sure = final || count < settled->seen ? count : settled->seen;

	if (sure > settled->count)
		settled->count = sure;
	settled->seen = count;
}
