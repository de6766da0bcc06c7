/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the path of a control group tells of who made it: container, pod, systemd unit. Only what a known
 * program writes in a known place counts, the innermost of several; anything else is absent, never guessed.
 * No allocation: the parts lie in the path.
 */
#ifndef PORTSNOOP_CORE_CGROUP_NAME_H
#define PORTSNOOP_CORE_CGROUP_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define CONTAINER_ID_LENGTH  64 /* hexadecimal digits of an OCI container's ID */
#define CONTAINER_ID_SHORT   12 /* as docker, podman and crictl print it */
#define CGROUP_PART_TEXT_MAX 256
#define CGROUP_POD_UID_MAX   40

/* Hostile bytes, without NUL at the end. length 0: absent. */
struct cgroup_part {
	const char *text;
	size_t length;
};

struct cgroup_name {
	struct cgroup_part id;	 /* of the container: CONTAINER_ID_LENGTH digits */
	struct cgroup_part name; /* of a container that has no ID, as it stands in the path */
	struct cgroup_part pod;	 /* UID of the pod, as it stands in the path */
	struct cgroup_part unit; /* of systemd: a service or a scope, as systemctl writes it */
	/* docker, containerd, cri-o, podman, lxc, systemd-nspawn; kubernetes: a container of a pod, by one of
	 * the first three. NULL: not known, or there is no container. */
	const char *runtime;
};

/* path may be NULL: nothing is known. */
void cgroup_name_read(const char *path, struct cgroup_name *ret_name);

/* Whether there is a container: it has an ID or a name. */
bool cgroup_is_container(const struct cgroup_name *name);
/* The unit, for people: absent where it is the container's own scope, which only repeats its ID. */
struct cgroup_part cgroup_telling_unit(const struct cgroup_name *name);
/* The container's name without systemd's escapes, cut where buf ends. NULL: it has none. */
const char *cgroup_container_name(const struct cgroup_name *name, char buf[CGROUP_PART_TEXT_MAX]);
/* The pod's UID as the API server writes it. NULL: there is no pod. */
const char *cgroup_pod_uid(const struct cgroup_name *name, char buf[CGROUP_POD_UID_MAX]);

#endif
