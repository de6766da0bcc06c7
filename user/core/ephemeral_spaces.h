/* SPDX-License-Identifier: GPL-2.0-only */
/* What core/ephemeral is made of: its parts, in the order in which they are read. All return 0 or -ENOMEM. */
#ifndef PORTSNOOP_CORE_EPHEMERAL_SPACES_H
#define PORTSNOOP_CORE_EPHEMERAL_SPACES_H

#include "core/ephemeral.h"

#define NO_SPACE SIZE_MAX

/* A process has a port. */
struct ephemeral_possession {
	const struct process *process;
	size_t space;
	uint16_t port;
	bool exclusive, bound_before;
};

/* Every namespace whose range is known or in which a port of it is used, or only one of them: TCP and UDP. */
int ephemeral_read_spaces(struct ephemeral *ephemeral, const struct model *model, uint32_t netns);
int ephemeral_read_destinations(struct ephemeral *ephemeral, const struct model *model, uint64_t now_ns);
int ephemeral_read_consumers(struct ephemeral *ephemeral, const struct model *model);
/* Of possessions that are together by process. */
int ephemeral_read_groups(struct ephemeral *ephemeral, const struct model *model,
			  const struct ephemeral_possession *possessions, size_t n);
/* From the others. */
int ephemeral_read_findings(struct ephemeral *ephemeral, const struct model *model);

/* The space whose range this socket's local port is of; NO_SPACE. */
size_t ephemeral_space_of(const struct ephemeral *ephemeral, const struct rec_socket *socket);
/* A connection that was made from here, as far as that can be told. */
bool ephemeral_is_outgoing(const struct ephemeral_space *space, const struct socket_row *row);

#endif
