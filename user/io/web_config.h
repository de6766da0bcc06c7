/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that says who may connect, and how: YAML, with the names of the Prometheus exporter toolkit. Of
 * those only what we do is accepted; any other key is refused by its name and line, never passed over.
 */
#ifndef PORTSNOOP_IO_WEB_CONFIG_H
#define PORTSNOOP_IO_WEB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#define WEB_USERS_MAX	    64
#define WEB_FILE_BYTES_MAX  (1u << 20) /* of this file and of each that it names */
#define WEB_BCRYPT_COST_MAX 14	       /* a second: one thread answers everybody */

struct web_user {
	char *name, *hash; /* bcrypt's, as crypt(5) has it */
};

struct web_config {
	char *certificate, *key, *client_ca; /* PEM; NULL: none */
	bool client_required;		     /* to show a certificate of client_ca */
	bool tls13_only;
	struct web_user users[WEB_USERS_MAX];
	size_t n_users;
};

/*
 * Files that it names are read too, from its own folder if they are relative. 0, or a negative errno and a
 * message that names the file, the line and what is wrong.
 */
int web_config_load(const char *path, struct web_config **ret_config, char *message, size_t size);
/* The same from memory: folder is where relative names are looked for, title what messages call it. */
int web_config_parse(const char *text, size_t length, const char *title, const char *folder,
		     struct web_config **ret_config, char *message, size_t size);
/* NULL is fine. Secrets are wiped. */
void web_config_free(struct web_config *config);

#endif
