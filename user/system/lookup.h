/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that the system's databases have: users, services, control groups. */
#ifndef PORTSNOOP_SYSTEM_LOOKUP_H
#define PORTSNOOP_SYSTEM_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What this program cannot look up, in words; NULL: nothing. */
const char *lookup_limits(void);
/* Name of a user, in buf. False when there is none. */
bool lookup_user(uint32_t uid, char *buf, size_t size);
/* 0 or -ENOENT. */
int lookup_user_id(const char *name, uint32_t *ret_uid);
/* Port of a service of any transport (services(5)), host order. 0 or -ENOENT. */
int lookup_service_port(const char *name, uint16_t *ret_port);
/* Calls back for each service of TCP and UDP, in the order of the database. */
void lookup_each_service(void (*callback)(void *context, uint16_t protocol, uint16_t port, const char *name),
			 void *context);
/* Path of the control group with this id, below the root that cgroup2_fd stands for. False: gone, or not
 * allowed (CAP_DAC_READ_SEARCH). */
bool lookup_cgroup(int cgroup2_fd, uint64_t id, char *buf, size_t size);
/* Whether the control group with this id is there no more. False also when that cannot be found out. */
bool lookup_cgroup_gone(int cgroup2_fd, uint64_t id);

#endif
