/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formats and where they come from:
 *
 *     /docker/ID, …/docker-ID.scope         moby: daemon/daemon_unix.go, oci_linux.go (cgroupfs, systemd)
 *     SLICE:TAG:ID                          the systemd form, read by a runtime that is set to cgroupfs
 *     …/cri-containerd-ID.scope, POD/ID     containerd: internal/cri/server/podsandbox/helpers.go
 *     /NAMESPACE/ID, …/nerdctl-ID.scope     nerdctl: pkg/cmd/container/run_cgroup_linux.go
 *     …/crio-ID.scope, POD/crio-ID          cri-o: internal/config/cgmgr; crio-conmon-ID is its monitor
 *     …/libpod-ID.scope, libpod-payload-ID  podman: libpod/container_internal_linux.go; libpod-conmon-ID is
 *                                           its monitor, /libpod_parent/ID one of its pods
 *     kubepods-QOS-podUID.slice, podUID     kubelet: pkg/kubelet/cm/pod_container_manager_linux.go; the first
 *                                           has _ for the - in UID; static pods' UIDs are 32 digits
 *     lxc.payload.NAME, /lxc/NAME           lxc: src/lxc/cgroups/cgfsng.c; lxc.monitor.NAME is its monitor
 *     machine-NAME.scope                    systemd: src/machine/machine-dbus.c; libvirt has such scopes too
 *     systemd-nspawn@NAME.service           systemd: units/systemd-nspawn@.service.in; in both, supervisor is
 *                                           outside of the container (src/nspawn/nspawn-cgroup.c)
 */
#include "core/cgroup_name.h"

#include <string.h>

#define POD_UID_DASHED 36
#define POD_UID_PLAIN  32

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool part_is(struct cgroup_part part, const char *text)
{
	return part.length == strlen(text) && !memcmp(part.text, text, part.length);
}

static bool begins_with(struct cgroup_part part, const char *text)
{
	return part.length >= strlen(text) && !memcmp(part.text, text, strlen(text));
}

static bool ends_with(struct cgroup_part part, const char *text)
{
	return part.length >= strlen(text) &&
	       !memcmp(part.text + part.length - strlen(text), text, strlen(text));
}

/* What is between the two, when it has both and something between them. */
static struct cgroup_part between(struct cgroup_part part, const char *begin, const char *end)
{
	size_t around = strlen(begin) + strlen(end);

	if (part.length <= around || !begins_with(part, begin) || !ends_with(part, end))
		return (struct cgroup_part){0};
	return (struct cgroup_part){part.text + strlen(begin), part.length - around};
}

static struct cgroup_part without_end(struct cgroup_part part, const char *end)
{
	if (ends_with(part, end))
		part.length -= strlen(end);
	return part;
}

/* The directory that at begins in; slashes before it are skipped. */
static struct cgroup_part directory_at(const char *at)
{
	at += strspn(at, "/");
	return (struct cgroup_part){at, strcspn(at, "/")};
}

/* --- pods -------------------------------------------------------------------------------------------------
 */

static bool is_pod_uid(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool separates = length == POD_UID_DASHED && (i == 8 || i == 13 || i == 18 || i == 23);

		if (separates ? text[i] != '-' && text[i] != '_' : !is_hex(text[i]))
			return false;
	}
	return length == POD_UID_DASHED || length == POD_UID_PLAIN;
}

/* kubepods-burstable-podUID.slice, with anything of the kubelet's before kubepods. */
static struct cgroup_part pod_of_slice(struct cgroup_part slice)
{
	static const size_t lengths[] = {POD_UID_DASHED, POD_UID_PLAIN};

	if (!ends_with(slice, ".slice") || !memmem(slice.text, slice.length, "kubepods", strlen("kubepods")))
		return (struct cgroup_part){0};
	slice = without_end(slice, ".slice");
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct cgroup_part before = {slice.text, slice.length - lengths[i]};

		if (slice.length > lengths[i] && ends_with(before, "-pod") &&
		    is_pod_uid(slice.text + before.length, lengths[i]))
			return (struct cgroup_part){slice.text + before.length, lengths[i]};
	}
	return (struct cgroup_part){0};
}

static struct cgroup_part pod_of(struct cgroup_part directory, bool below_kubepods)
{
	const char *colon = memchr(directory.text, ':', directory.length);
	struct cgroup_part uid = between(directory, "pod", "");

	if (below_kubepods && is_pod_uid(uid.text, uid.length))
		return uid;
	if (colon)
		directory.length = (size_t)(colon - directory.text);
	return pod_of_slice(directory);
}

/* --- containers with an ID --------------------------------------------------------------------------------
 */

/* What runtimes put before the ID. */
static const char *runtime_of_tag(struct cgroup_part tag)
{
	static const struct {
		const char *tag, *runtime;
	} tags[] = {
		{"docker", "docker"},	   {"cri-containerd", "containerd"},
		{"nerdctl", "containerd"}, {"crio", "cri-o"},
		{"libpod", "podman"},	   {"libpod-payload", "podman"},
	};

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (part_is(tag, tags[i].tag))
			return tags[i].runtime;
	return NULL;
}

/* Of an ID that stands alone: by the directory that it is in. */
static const char *runtime_of_parent(struct cgroup_part parent, bool in_pod)
{
	if (in_pod)
		return "kubernetes";
	if (part_is(parent, "docker"))
		return "docker";
	/* containerd's own names for its namespaces, as nerdctl uses them */
	if (part_is(parent, "default") || part_is(parent, "k8s.io"))
		return "containerd";
	return NULL;
}

static bool is_id(const char *text)
{
	for (size_t i = 0; i < CONTAINER_ID_LENGTH; i++)
		if (!is_hex(text[i]))
			return false;
	return true;
}

/* before: what stands before the ID, TAG- or [SLICE:]TAG: */
static const char *runtime_of_prefix(struct cgroup_part before)
{
	struct cgroup_part tag = {before.text, before.length - 1};
	const char *colon = memrchr(tag.text, ':', tag.length);
	char separator = before.text[tag.length];

	if (colon && separator == ':')
		tag = (struct cgroup_part){colon + 1, (size_t)(before.text + before.length - colon - 2)};
	return separator == '-' || separator == ':' ? runtime_of_tag(tag) : NULL;
}

/* TAG-ID, TAG-ID.scope, [SLICE:]TAG:ID or ID. */
static bool read_id(struct cgroup_part directory, struct cgroup_part parent, bool in_pod,
		    struct cgroup_name *name)
{
	struct cgroup_part before = without_end(directory, ".scope"), id;
	const char *runtime;

	if (before.length < CONTAINER_ID_LENGTH)
		return false;
	before.length -= CONTAINER_ID_LENGTH;
	id = (struct cgroup_part){before.text + before.length, CONTAINER_ID_LENGTH};
	if (!is_id(id.text))
		return false;
	runtime = before.length ? runtime_of_prefix(before) : runtime_of_parent(parent, in_pod);
	if (before.length ? !runtime : id.length != directory.length || part_is(parent, "libpod_parent"))
		return false;
	name->id = id;
	name->name = (struct cgroup_part){0};
	name->runtime = runtime;
	return true;
}

/* --- containers with a name -------------------------------------------------------------------------------
 */

/* at_root: parent lies at the root, of the machine or of a container. */
static struct cgroup_part name_of_lxc(struct cgroup_part directory, struct cgroup_part parent, bool at_root)
{
	return at_root && part_is(parent, "lxc") ? directory : between(directory, "lxc.payload.", "");
}

/* below: the directory in it, if there is one. */
static struct cgroup_part name_of_machine(struct cgroup_part directory, struct cgroup_part below)
{
	struct cgroup_part name = between(directory, "machine-", ".scope");

	if (part_is(below, "supervisor") || part_is(below, "libvirt") || begins_with(name, "qemu\\x2d") ||
	    begins_with(name, "lxc\\x2d"))
		return (struct cgroup_part){0};
	return name.length ? name : between(directory, "systemd-nspawn@", ".service");
}

static void read_name(struct cgroup_part directory, struct cgroup_part parent, bool at_root,
		      struct cgroup_name *name)
{
	struct cgroup_part lxc = name_of_lxc(directory, parent, at_root || cgroup_is_container(name));
	struct cgroup_part below = directory_at(directory.text + directory.length);
	struct cgroup_part machine = lxc.length ? lxc : name_of_machine(directory, below);

	if (!machine.length)
		return;
	name->id = (struct cgroup_part){0};
	name->name = machine;
	name->runtime = lxc.length ? "lxc" : "systemd-nspawn";
}

/* --- units ------------------------------------------------------------------------------------------------
 */

/* unit_name_is_valid() of systemd: these bytes, 255 of them at most. */
static bool is_unit(struct cgroup_part directory)
{
	static const char others[] = ":-_.\\@";

	if (!between(directory, "", ".service").length && !between(directory, "", ".scope").length)
		return false;
	for (size_t i = 0; i < directory.length; i++) {
		char c = directory.text[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !memchr(others, c, sizeof(others) - 1))
			return false;
	}
	return directory.length < CGROUP_PART_TEXT_MAX;
}

/* cg_escape() of systemd puts a _ before a name that the kernel might take for a file of its own. */
static void read_unit(struct cgroup_part directory, struct cgroup_name *name)
{
	if (begins_with(directory, "_")) {
		directory.text++;
		directory.length--;
	}
	if (is_unit(directory))
		name->unit = directory;
}

/* --- all of it --------------------------------------------------------------------------------------------
 */

void cgroup_name_read(const char *path, struct cgroup_name *ret_name)
{
	struct cgroup_name name = {.runtime = NULL};
	struct cgroup_part parent = {.text = ""}, directory = directory_at(path ? path : "");
	bool below_kubepods = false, in_pod = false;

	for (size_t depth = 0; directory.length; depth++) {
		struct cgroup_part pod = pod_of(directory, below_kubepods);

		if (pod.length)
			name.pod = pod;
		if (!read_id(directory, parent, in_pod, &name))
			read_name(directory, parent, depth == 1, &name);
		read_unit(directory, &name);
		below_kubepods |= part_is(directory, "kubepods");
		in_pod = pod.length;
		parent = directory;
		directory = directory_at(directory.text + directory.length);
	}
	*ret_name = name;
}

bool cgroup_is_container(const struct cgroup_name *name)
{
	return name->id.length || name->name.length;
}

struct cgroup_part cgroup_telling_unit(const struct cgroup_name *name)
{
	const struct cgroup_part *unit = &name->unit;
	bool repeats = unit->length && name->id.length && name->id.text > unit->text &&
		       name->id.text < unit->text + unit->length;

	return repeats ? (struct cgroup_part){0} : *unit;
}

static int hex_value(char c)
{
	return is_hex(c) ? (c <= '9' ? c - '0' : c - 'a' + 10) : -1;
}

/* The byte that \xNN at the beginning of text means; 0: it is none, or NUL. */
static char escaped(const char *text, size_t length)
{
	int high, low;

	if (length < 4 || text[0] != '\\' || text[1] != 'x')
		return '\0';
	high = hex_value(text[2]);
	low = hex_value(text[3]);
	return high < 0 || low < 0 ? '\0' : (char)(high << 4 | low);
}

const char *cgroup_container_name(const struct cgroup_name *name, char buf[CGROUP_PART_TEXT_MAX])
{
	struct cgroup_part from = name->name;
	size_t n = 0;

	if (!from.length)
		return NULL;
	for (size_t i = 0; i < from.length && n < CGROUP_PART_TEXT_MAX - 1; i++) {
		char byte = escaped(from.text + i, from.length - i);

		buf[n++] = byte ? byte : from.text[i];
		i += byte ? 3 : 0;
	}
	buf[n] = '\0';
	return buf;
}

const char *cgroup_pod_uid(const struct cgroup_name *name, char buf[CGROUP_POD_UID_MAX])
{
	if (!name->pod.length)
		return NULL;
	for (size_t i = 0; i < name->pod.length; i++)
		buf[i] = name->pod.text[i] == '_' ? '-' : name->pod.text[i];
	buf[name->pod.length] = '\0';
	return buf;
}
