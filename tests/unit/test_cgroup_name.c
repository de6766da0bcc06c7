/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths as they were seen on real machines, and paths that only look like them. */
#include "core/cgroup_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID   "4f0c2d9a7b31e8d5c6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9"
#define ID2  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define POD  "3f2b1c0d-9e8f-4a7b-8c6d-5e4f3a2b1c0d"
#define POD_ "3f2b1c0d_9e8f_4a7b_8c6d_5e4f3a2b1c0d"
#define HASH "0a1b2c3d4e5f60718293a4b5c6d7e8f9" /* a static pod's */
#define USER "/user.slice/user-1000.slice/user@1000.service"

struct path {
	const char *path;
	const char *id, *name, *runtime, *pod, *unit; /* NULL: absent */
};

static const struct path paths[] = {
	/* docker: cgroupfs, systemd, --cgroup-parent, rootless, systemd inside, docker inside */
	{"/docker/" ID, ID, NULL, "docker"},
	{"/system.slice/docker-" ID ".scope", ID, NULL, "docker", NULL, "docker-" ID ".scope"},
	{"/batch.slice/docker-" ID ".scope", ID, NULL, "docker", NULL, "docker-" ID ".scope"},
	{"/batch/" ID, ID},
	{USER "/user.slice/docker-" ID ".scope", ID, NULL, "docker", NULL, "docker-" ID ".scope"},
	{"/system.slice/docker-" ID ".scope/system.slice/nginx.service", ID, NULL, "docker", NULL,
	 "nginx.service"},
	{"/docker/" ID "/docker/" ID2, ID2, NULL, "docker"},
	{"/system.slice:docker:" ID, ID, NULL, "docker"},
	/* containerd under the kubelet: systemd, cgroupfs, one of each */
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_ ".slice/cri-containerd-" ID
	 ".scope",
	 ID, NULL, "containerd", POD, "cri-containerd-" ID ".scope"},
	{"/kubepods/burstable/pod" POD "/" ID, ID, NULL, "kubernetes", POD},
	{"/kubepods/pod" POD "/" ID, ID, NULL, "kubernetes", POD},
	{"/system.slice/containerd.service/kubepods-besteffort-pod" POD_ ".slice:cri-containerd:" ID, ID,
	 NULL, "containerd", POD, "containerd.service"},
	/* guaranteed pods have no class of service; static pods have a hash */
	{"/kubepods.slice/kubepods-pod" POD_ ".slice/cri-containerd-" ID ".scope", ID, NULL, "containerd",
	 POD, "cri-containerd-" ID ".scope"},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH ".slice/crio-" ID ".scope",
	 ID, NULL, "cri-o", HASH, "crio-" ID ".scope"},
	/* kind: a cluster in docker */
	{"/docker/" ID "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/"
	 "kubelet-kubepods-besteffort-pod" POD_ ".slice/cri-containerd-" ID2 ".scope",
	 ID2, NULL, "containerd", POD, "cri-containerd-" ID2 ".scope"},
	/* nerdctl */
	{"/default/" ID, ID, NULL, "containerd"},
	{"/system.slice/nerdctl-" ID ".scope", ID, NULL, "containerd", NULL, "nerdctl-" ID ".scope"},
	/* cri-o: crun makes a directory inside; the monitor is outside */
	{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" POD_ ".slice/crio-" ID
	 ".scope/container",
	 ID, NULL, "cri-o", POD, "crio-" ID ".scope"},
	{"/kubepods/besteffort/pod" POD "/crio-" ID, ID, NULL, "cri-o", POD},
	{"/kubepods/besteffort/pod" POD "/crio-conmon-" ID, NULL, NULL, NULL, POD},
	{"/system.slice/crio-conmon-" ID ".scope", NULL, NULL, NULL, NULL, "crio-conmon-" ID ".scope"},
	/* podman: root, rootless, in a pod, --cgroups=split, cgroupfs; the monitor is outside */
	{"/machine.slice/libpod-" ID ".scope/container", ID, NULL, "podman", NULL, "libpod-" ID ".scope"},
	{USER "/user.slice/libpod-" ID ".scope", ID, NULL, "podman", NULL, "libpod-" ID ".scope"},
	{"/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID ".scope", ID, NULL, "podman", NULL,
	 "libpod-" ID ".scope"},
	{"/system.slice/web.service/libpod-payload-" ID, ID, NULL, "podman", NULL, "web.service"},
	{"/libpod_parent/libpod-" ID, ID, NULL, "podman"},
	{"/machine.slice/libpod-conmon-" ID ".scope", NULL, NULL, NULL, NULL, "libpod-conmon-" ID ".scope"},
	{"/libpod_parent/" ID2 "/conmon"},
	/* lxc, LXD, Proxmox */
	{"/lxc.payload.web-1", NULL, "web-1", "lxc"},
	{"/lxc.payload.web-1/system.slice/ssh.service", NULL, "web-1", "lxc", NULL, "ssh.service"},
	{"/lxc/101/ns/init.scope", NULL, "101", "lxc", NULL, "init.scope"},
	{"/lxc/101/ns/lxc/5", NULL, "5", "lxc"},
	{"/lxc.monitor.web-1"},
	/* systemd-nspawn and machinectl; the rest of machined's are virtual machines or not in the container
	 */
	{"/machine.slice/machine-deb.scope/payload/init.scope", NULL, "deb", "systemd-nspawn", NULL,
	 "init.scope"},
	{"/machine.slice/machine-build\\x2dhost.scope", NULL, "build-host", "systemd-nspawn", NULL,
	 "machine-build\\x2dhost.scope"},
	{"/machine.slice/systemd-nspawn@deb\\x2d12.service/payload", NULL, "deb-12", "systemd-nspawn", NULL,
	 "systemd-nspawn@deb\\x2d12.service"},
	{"/machine.slice/systemd-nspawn@deb.service/supervisor", NULL, NULL, NULL, NULL,
	 "systemd-nspawn@deb.service"},
	{"/machine.slice/machine-deb.scope/supervisor", NULL, NULL, NULL, NULL, "machine-deb.scope"},
	{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", NULL, NULL, NULL, NULL,
	 "machine-qemu\\x2d1\\x2dvm.scope"},
	/* one sort in another */
	{"/lxc.payload.host/docker/" ID, ID, NULL, "docker"},
	{"/machine.slice/machine-deb.scope/payload/machine.slice/libpod-" ID ".scope", ID, NULL, "podman",
	 NULL, "libpod-" ID ".scope"},
	{"/docker/" ID "/lxc/inner", NULL, "inner", "lxc"},
	/* no containers */
	{"/"},
	{""},
	{NULL},
	{"/" ID ".scope", NULL, NULL, NULL, NULL, ID ".scope"},
	{"/init.scope", NULL, NULL, NULL, NULL, "init.scope"},
	{"/system.slice/system-getty.slice/getty@tty1.service", NULL, NULL, NULL, NULL, "getty@tty1.service"},
	{USER "/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope", NULL, NULL, NULL, NULL,
	 "vte-spawn-1.scope"},
	{"/system.slice/systemd-udevd.service/udev", NULL, NULL, NULL, NULL, "systemd-udevd.service"},
	{"/system.slice/_cpu.service", NULL, NULL, NULL, NULL, "cpu.service"},
	{"/kubepods/burstable/pod" POD, NULL, NULL, NULL, POD},
};

static void compare(const char *path, const char *what, const char *expected, const char *got)
{
	if (!expected && !got)
		return;
	if (!expected || !got || strcmp(expected, got))
		fail_msg("%s: %s is %s, not %s", path, what, got ? got : "absent",
			 expected ? expected : "absent");
}

static void compare_part(const char *path, const char *what, const char *expected, struct cgroup_part got)
{
	char text[CGROUP_PART_TEXT_MAX];

	snprintf(text, sizeof(text), "%.*s", (int)got.length, got.length ? got.text : "");
	compare(path, what, expected, got.length ? text : NULL);
}

static void known_paths(void **state)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char name_text[CGROUP_PART_TEXT_MAX], pod_text[CGROUP_POD_UID_MAX];
		const struct path *path = &paths[i];
		struct cgroup_name name;

		cgroup_name_read(path->path, &name);
		compare_part(path->path, "id", path->id, name.id);
		compare(path->path, "name", path->name, cgroup_container_name(&name, name_text));
		compare(path->path, "runtime", path->runtime, name.runtime);
		compare(path->path, "pod", path->pod, cgroup_pod_uid(&name, pod_text));
		compare_part(path->path, "unit", path->unit, name.unit);
		assert_int_equal(cgroup_is_container(&name), path->id || path->name);
	}
}

/* Each is one step away from a path above. */
static void nothing_is_guessed(void **state)
{
	static const char *const others[] = {
		"/docker/" ID "0",
		"/docker/x" ID,
		"/docker/4F0C2D9A7B31E8D5C6F7A8B9C0D1E2F3A4B5C6D7E8F9A0B1C2D3E4F5A6B7C8D9",
		"/docker/buildkit/k2m1s8d9f0a1b2c3d4e5f6g7h",
		"/docker-" ID ".slice",
		"/docker/4f0c2d9a7b31",
		"/-" ID,
		"/:" ID,
		"/a:b:" ID,
		"/docker_" ID,
		"/xdocker-" ID,
		"/system.slice:docker-x:" ID,
		"/libpod_parent/" ID,
		"/pod" POD,
		"/burstable/pod" POD,
		"/kubepods/podxyz",
		"/kubepods/pod3f2b1c0d-9e8f-4a7b-8c6d-5e4f3a2b1c0g",
		"/kubepods-burstable-pod" POD_,
		"/system-pod" POD_ ".slice",
		"/kubepods-xpod" POD_ ".slice",
		"/kubepods-pod.slice",
		"/kubepods.slice",
		"/a/lxc/name",
		"/lxc",
		"/lxc.payload.",
		"/lxc.payload",
		"/machine-.scope.d",
		"/machine.slice/machine-deb",
		"/systemd-nspawn@.d",
		"/.service",
		"/.scope",
		"/nginx.socket",
		"/nginx\n.service",
		"/nginx service.service",
		"nginx.service.d",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct cgroup_name name;

		cgroup_name_read(others[i], &name);
		if (cgroup_is_container(&name) || name.pod.length || name.unit.length || name.runtime)
			fail_msg("something was seen in %s", others[i]);
	}
}

static const char *name_of(const char *path, char buf[CGROUP_PART_TEXT_MAX])
{
	struct cgroup_name name;

	cgroup_name_read(path, &name);
	return cgroup_container_name(&name, buf);
}

static void hostile_names(void **state)
{
	char buf[CGROUP_PART_TEXT_MAX], path[2048] = "/lxc.payload.";

	assert_string_equal(name_of("/lxc.payload.a\\x0", buf), "a\\x0");
	assert_string_equal(name_of("/lxc.payload.a\\x00b", buf), "a\\x00b");
	assert_string_equal(name_of("/lxc.payload.a\\x2gb\\x", buf), "a\\x2gb\\x");
	assert_string_equal(name_of("/lxc.payload.\\x1b[31m\\x5cx41", buf), "\x1b[31m\\x41");
	memset(path + strlen(path), 'n', sizeof(path) - strlen(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(strlen(name_of(path, buf)), CGROUP_PART_TEXT_MAX - 1);
	snprintf(path, sizeof(path), "///%0*d.service//docker-" ID ".scope///", 300, 0);
	assert_null(name_of(path, buf));
}

static size_t telling_length(const char *path)
{
	struct cgroup_name name;

	cgroup_name_read(path, &name);
	return cgroup_telling_unit(&name).length;
}

/* For people: a container's own scope says nothing that its ID does not. */
static void telling_units(void **state)
{
	assert_int_equal(telling_length("/system.slice/docker-" ID ".scope"), 0);
	assert_int_equal(telling_length("/system.slice/docker-" ID ".scope/init.scope"),
			 strlen("init.scope"));
	assert_int_equal(telling_length("/system.slice/a.service/docker-" ID), strlen("a.service"));
	assert_int_equal(telling_length("/system.slice/a.service"), strlen("a.service"));
	assert_int_equal(telling_length("/docker/" ID), 0);
}

/* The path ends where it ends: nothing behind it is read. Under valgrind and the sanitizers this says more.
 */
static void every_beginning(void **state)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t length = paths[i].path ? strlen(paths[i].path) : 0;

		for (size_t n = 0; n < length; n++) {
			char *path = strndup(paths[i].path, n);
			struct cgroup_name name;

			assert_non_null(path);
			cgroup_name_read(path, &name);
			assert_true(name.id.length <= n && name.name.length <= n && name.unit.length <= n);
			free(path);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_paths),	   cmocka_unit_test(nothing_is_guessed),
		cmocka_unit_test(hostile_names),   cmocka_unit_test(telling_units),
		cmocka_unit_test(every_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
