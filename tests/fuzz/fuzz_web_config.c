/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The web config file. What is taken is whole; what is not says where and why, in characters that no terminal
 * obeys but for what the YAML library itself says.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "io/web_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct web_config *config = NULL;
	char message[256];
	/* A folder in which no name leads anywhere. */
	int error = web_config_parse((const char *)data, size, "web.yml", "/proc/self/attr/none", &config,
				     message, sizeof(message));

	if (error) {
		assert(error < 0 && !config);
		assert(strncmp(message, "web.yml:", 8) == 0);
		return 0;
	}
	assert(config->n_users <= WEB_USERS_MAX);
	assert(!config->certificate == !config->key);
	assert(!config->client_required == !config->client_ca);
	for (size_t i = 0; i < config->n_users; i++)
		assert(*config->users[i].name && strlen(config->users[i].hash) == 60);
	web_config_free(config);
	return 0;
}
