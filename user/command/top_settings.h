/* SPDX-License-Identifier: GPL-2.0-only */
/* What top remembers from one time to the next: $XDG_STATE_HOME/portsnoop/top, or
 * ~/.local/state/portsnoop/top. */
#ifndef PORTSNOOP_COMMAND_TOP_SETTINGS_H
#define PORTSNOOP_COMMAND_TOP_SETTINGS_H

#include "view/top_state.h"

/* What is there and makes sense is taken over; the rest stays as it is. */
void top_settings_load(struct top_state *state);
/* Nothing is said when that is not possible: nobody asked for it. */
void top_settings_save(const struct top_state *state);

#endif
