/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/web_users.h"

#include <crypt.h>
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_BYTES 32 /* SHA-256 */
#define NAME_BYTES   256
#define PASSWORD_MAX 512 /* bytes; bcrypt looks at 72, crypt(3) takes 512 */

struct web_users {
	const struct web_config *config;
	unsigned char key[DIGEST_BYTES]; /* of this process alone */
	struct known {
		bool set;
		unsigned char digest[DIGEST_BYTES];
	} known[WEB_USERS_MAX]; /* what was right last */
	unsigned tries;		/* left */
	uint64_t refilled_ns;
	struct crypt_data scratch; /* 32 KiB */
};

int web_users_new(const struct web_config *config, struct web_users **ret_users)
{
	struct web_users *users = calloc(1, sizeof(*users));

	if (!users)
		return -ENOMEM;
	users->config = config;
	users->tries = WEB_TRIES_BURST;
	if (gnutls_rnd(GNUTLS_RND_KEY, users->key, sizeof(users->key))) {
		free(users);
		return -EIO;
	}
	*ret_users = users;
	return 0;
}

void web_users_free(struct web_users *users)
{
	if (!users)
		return;
	explicit_bzero(users, sizeof(*users));
	free(users);
}

/* Whom it is about, or the number of users. All names are compared, whichever it is. */
static size_t find(const struct web_config *config, const char *name)
{
	size_t found = config->n_users;

	for (size_t i = 0; i < config->n_users; i++)
		if (!strcmp(config->users[i].name, name))
			found = i;
	return found;
}

static bool may_try(struct web_users *users, uint64_t now_ns)
{
	uint64_t more = (now_ns - users->refilled_ns) / WEB_TRIES_EACH_NS;

	if (more > 0) {
		users->tries = more < WEB_TRIES_BURST - users->tries ? users->tries + (unsigned)more
								     : WEB_TRIES_BURST;
		users->refilled_ns = now_ns;
	}
	if (!users->tries)
		return false;
	users->tries--;
	return true;
}

static bool is_right(struct web_users *users, const char *password, const char *hash)
{
	const char *made = crypt_r(password, hash, &users->scratch);
	bool right = made && strlen(made) == strlen(hash) && !gnutls_memcmp(made, hash, strlen(hash));

	explicit_bzero(&users->scratch, sizeof(users->scratch));
	return right;
}

enum web_verdict web_users_check(struct web_users *users, const char *name, const char *password,
				 uint64_t now_ns)
{
	unsigned char digest[DIGEST_BYTES];
	size_t n = users->config->n_users, i;
	struct known *known;
	bool right;

	if (!n)
		return WEB_ALLOWED;
	if (!name || !password || strlen(name) > NAME_BYTES || strlen(password) > PASSWORD_MAX)
		return WEB_DENIED;
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, users->key, sizeof(users->key), password, strlen(password),
			     digest))
		return WEB_DENIED;
	i = find(users->config, name);
	known = i < n ? &users->known[i] : NULL;
	if (known && known->set && !gnutls_memcmp(known->digest, digest, sizeof(digest)))
		return WEB_ALLOWED;
	if (!may_try(users, now_ns))
		return WEB_LATER;
	/* Somebody who does not exist takes as long as somebody who does. */
	right = is_right(users, password, users->config->users[i < n ? i : 0].hash) && known;
	if (right) {
		memcpy(known->digest, digest, sizeof(digest));
		known->set = true;
	}
	return right ? WEB_ALLOWED : WEB_DENIED;
}
