/* SPDX-License-Identifier: GPL-2.0-only */
/* What why is asked about: the bind, whose, where; and what the kernel says of it before the port comes in.
 */
#ifndef PORTSNOOP_COMMAND_WHY_ASKED_H
#define PORTSNOOP_COMMAND_WHY_ASKED_H

#include "core/bind_outcome.h"
#include "core/port_spec.h"
#include "options.h"
#include "system/asker.h"

struct why_asked {
	struct bind_wish wish;
	struct asker asker; /* of --pid */
	bind_doubts doubts;
	uint32_t netns;	 /* inode of the namespace that it is about */
	uint32_t l3mdev; /* the VRF of the wish's device */
	int socket_fd;	 /* a socket of that namespace, without a port; negative: none yet */
};

/* Complains. EXIT_DONE, with a socket to be closed, or the exit status. */
int why_asked_read(const struct options *options, const struct port_spec *spec, struct why_asked *ret_asked);
void why_asked_close(struct why_asked *asked);

#endif
