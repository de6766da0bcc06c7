/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of the model, for the two files that know it: what changes it, and what looks at it. */
#ifndef PORTSNOOP_CORE_MODEL_TABLES_H
#define PORTSNOOP_CORE_MODEL_TABLES_H

#include "core/destinations.h"
#include "core/holders.h"
#include "core/model.h"
#include "core/names.h"
#include "core/past.h"
#include "core/process.h"
#include "core/sockets.h"
#include "core/walk.h"

struct model {
	struct sockets *sockets;
	struct process_table *processes;
	struct names *names;
	struct destinations *destinations;
	struct holders *holders;
	struct past *past;
	struct walk *walk;
	struct socket_row *ended; /* goes with the next record */
	int64_t clock_offset_ns;
	uint32_t follow_pid; /* not yet seen */
	bool following;
	struct model_limits limits;
	struct let_go let_go; /* by the last exit */
};

#endif
