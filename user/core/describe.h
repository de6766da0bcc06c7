/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a change or a row says, told once for everybody who shows or filters it: which ends are known, who
 * acted, which port the kernel chose. What is not known is absent, never zero. It decides what is told, not
 * how it looks.
 */
#ifndef PORTSNOOP_CORE_DESCRIBE_H
#define PORTSNOOP_CORE_DESCRIBE_H

#include "core/cgroup_name.h"
#include "core/endpoint.h"
#include "core/model.h"

#include <stdbool.h>
#include <stdint.h>

#define UID_UNKNOWN UINT32_MAX /* (uid_t)-1 belongs to nobody */

/* A process as far as it is known. */
struct actor {
	const struct process *process; /* executable, arguments, parent; NULL: not known */
	const char *comm;	       /* NULL: not known; hostile bytes */
	uint64_t cgroup_id;	       /* 0: not known */
	uint32_t pid;		       /* 0: there is no actor */
	uint32_t uid;		       /* UID_UNKNOWN */
};

/* The socket's side of a change or a row. */
struct description {
	const struct rec_socket *socket; /* NULL: none, and all below is empty */
	struct endpoint local, peer;	 /* port 0: without one */
	bool has_local, has_peer;
	bool mapped;		 /* an IPv6 socket that speaks IPv4 */
	bool dual_stack;	 /* an IPv6 wildcard that serves IPv4 too */
	uint8_t family;		 /* of the addresses; 0: no address is known */
	uint8_t direction;	 /* enum rec_direction */
	int error;		 /* 0, a positive errno, CONNECT_ABORTED */
	uint32_t creator_pid;	 /* 0: not known, or the one who acted */
	const char *state;	 /* NULL: not known */
	const char *port_class;	 /* of the local port; NULL: there is none */
	const char *assigned_by; /* bind, listen, connect, send: the kernel chose the port then; NULL: it did
				    not */
	const char *service;	 /* that the port stands for; NULL: none known */
};

void describe_change(const struct model *model, const struct change *change, struct description *ret);
void describe_row(const struct model *model, const struct socket_row *row, struct description *ret);

/* Whether a closed listener's count of accepted connections is complete. */
bool describe_accepts_known(const struct change *change);
/* Whether its only descriptor is under way in a message. */
bool describe_in_flight(const struct socket_row *row);
/* Whether bytes and retransmits of a row were read; without them all are 0. */
bool describe_row_has_counters(const struct socket_row *row);

/* Who acted; pid 0: not known. */
struct actor describe_actor(const struct change *change);
struct actor describe_process(const struct process *process); /* NULL: not known */
struct actor describe_holder(const struct model *model, const struct holder *holder);
/* Who held a connection that goes on without a holder. NULL: not known, or there is one. */
const struct past_holder *describe_last_holder(const struct model *model, const struct socket_row *row);
struct actor describe_past_holder(const struct model *model, const struct past_holder *holder);
/* Basename of the executable, the comm where that is not known; NULL: neither is. */
const char *actor_name(const struct actor *actor);
/* The executable's path whole, or NULL. */
const char *actor_path(const struct actor *actor);
/* Bytes of actor->process->args without the NULs at their end; 0: not known. */
size_t actor_args_length(const struct actor *actor);
/* Container, pod and unit, as far as the path of its control group tells; that is only read here. */
void actor_place(const struct model *model, const struct actor *actor, struct cgroup_name *ret_place);

/* The pid namespace that a process lives in, when that is not the initial one. 0: not known. */
struct pid_ns {
	uint32_t inode;
	uint32_t pid; /* its pid there */
};
/* False: it lives in the initial one, or that is not known. */
bool actor_pid_ns(const struct actor *actor, struct pid_ns *ret_pid_ns);
/* Whether something of executable or arguments did not fit. */
bool actor_is_cut(const struct actor *actor);

/* "listen", "established", …; "bound" and "unconnected" for what the kernel calls CLOSE; NULL: not known, or
 * a socket without a port. */
const char *socket_state_name(const struct rec_socket *socket, uint16_t local_port);

/* "fork", "exec", …: why a process began or ceased to hold a socket. */
const char *holder_change_name(unsigned change);

/* "in" or "out"; NULL: not known. */
const char *direction_name(unsigned direction);

#define ERROR_TYPE_MAX 24
/* "EADDRINUSE", "aborted", "errno_512"; buf of ERROR_TYPE_MAX bytes may be used. error is not 0. */
const char *error_type(int error, char *buf);

/* How ls sorts a socket; a socket without a port and without a peer is in neither list. */
enum row_kind { ROW_NONE, ROW_PORT, ROW_CONNECTION };
enum row_kind socket_row_kind(const struct rec_socket *socket);

#endif
