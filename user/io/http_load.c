/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/http_api.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE	  "portsnoop-http.so"
#define INSTALLED "../lib/portsnoop/"

/* The program's folder, with a slash at its end. False: it is not known, or too long for what comes behind
 * it. */
static bool own_folder(char *path, size_t size, size_t more)
{
	ssize_t length = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (length < 0)
		return false;
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + more >= size)
		return false;
	slash[1] = '\0';
	return true;
}

/* Beside the program, where it was built, or in the library folder beside its own, where it was installed. */
static bool find_module(char *path, size_t size)
{
	size_t folder;

	if (!own_folder(path, size, strlen(INSTALLED MODULE)))
		return false;
	folder = strlen(path);
	strcpy(path + folder, MODULE);
	if (access(path, F_OK))
		strcpy(path + folder, INSTALLED MODULE);
	return true;
}

static int take(void *module, const struct http_api **ret_api, char *message, size_t size)
{
	const struct http_api *api = dlsym(module, HTTP_API_SYMBOL);

	if (!api || strcmp(api->version, PORTSNOOP_VERSION)) {
		snprintf(message, size, "%s is of another portsnoop", MODULE);
		return -EINVAL;
	}
	*ret_api = api;
	return 0;
}

int http_load(const struct http_api **ret_api, char *message, size_t size)
{
	char path[PATH_MAX];
	void *module;
	int error;

	if (!find_module(path, sizeof(path))) {
		snprintf(message, size, "HTTP cannot be had: /proc is not mounted");
		return -ENOENT;
	}
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module) {
		snprintf(message, size, "HTTP cannot be had: %s", dlerror());
		return -ENOENT;
	}
	error = take(module, ret_api, message, size);
	if (error)
		dlclose(module);
	return error;
}
