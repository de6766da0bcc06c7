/* SPDX-License-Identifier: GPL-2.0-only */
/* The web config file: what is taken, and what is refused by which name and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/web_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HASH "$2y$04$HFDiZKkTgKkofmQQzcoJZeHyJoK6n8UaFyo.MSK1vffwgsyUNen3q"
#define PAIR "  cert_file: cert\n  key_file: key\n"

static char folder[64];

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	strcpy(folder, "/tmp/portsnoop-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	write_file("cert", "the certificate");
	write_file("key", "the key");
	write_file("ca", "the authority");
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static struct web_config *parse(const char *text, char *message, size_t size)
{
	struct web_config *config = NULL;
	int error = web_config_parse(text, strlen(text), "web.yml", folder, &config, message, size);

	assert_int_equal(error != 0, config == NULL);
	return config;
}

static struct web_config *parsed(const char *text)
{
	char message[512];
	struct web_config *config = parse(text, message, sizeof(message));

	if (!config)
		fail_msg("%s", message);
	return config;
}

static void all_of_it(void **state)
{
	struct web_config *config = parsed("tls_server_config:\n" PAIR "  client_ca_file: ca\n"
					   "  client_auth_type: RequireAndVerifyClientCert\n"
					   "  min_version: TLS13\n"
					   "basic_auth_users:\n  alice: " HASH "\n  'b o b': " HASH "\n");

	assert_string_equal(config->certificate, "the certificate");
	assert_string_equal(config->key, "the key");
	assert_string_equal(config->client_ca, "the authority");
	assert_true(config->client_required && config->tls13_only);
	assert_int_equal(config->n_users, 2);
	assert_string_equal(config->users[0].name, "alice");
	assert_string_equal(config->users[1].name, "b o b");
	assert_string_equal(config->users[1].hash, HASH);
	web_config_free(config);
}

static void less_of_it(void **state)
{
	static const char *const texts[] = {"",
					    "---\n",
					    "# nothing\n",
					    "{}",
					    "basic_auth_users:\n",
					    "tls_server_config: {}\nbasic_auth_users: {}\n"};
	struct web_config *config;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		config = parsed(texts[i]);
		assert_null(config->certificate);
		assert_int_equal(config->n_users, 0);
		web_config_free(config);
	}
	config = parsed("tls_server_config:\n" PAIR
			"  min_version: TLS12\n  client_auth_type: NoClientCert\n");
	assert_false(config->client_required || config->tls13_only);
	web_config_free(config);
}

static const struct {
	const char *text, *message;
} refused[] = {
	{"http_server_config:\n  http2: true\n", "web.yml:1: http_server_config is not supported"},
	{"# one\nrate_limit:\n  burst: 1\n", "web.yml:2: rate_limit is not supported"},
	{"tls_server_config:\n" PAIR "  cipher_suites: x\n",
	 "web.yml:4: tls_server_config.cipher_suites is not supported"},
	{"tls_server_config:\n" PAIR "  cipher_suites:\n  - x\n",
	 "web.yml:5: expected a value behind the name, on one line"},
	{"tls_server_config:\n" PAIR "  min_version: TLS11\n", "web.yml:4: min_version is TLS12 or TLS13"},
	{"tls_server_config:\n" PAIR "  client_auth_type: RequestClientCert\n",
	 "web.yml:4: client_auth_type is NoClientCert or RequireAndVerifyClientCert"},
	{"tls_server_config:\n  cert_file: cert\n",
	 "web.yml:1: tls_server_config needs both cert_file and key_file"},
	{"tls_server_config:\n  min_version: TLS13\n", "web.yml:1: min_version needs cert_file and key_file"},
	{"tls_server_config:\n" PAIR "  client_ca_file: ca\n",
	 "web.yml:1: client_auth_type: RequireAndVerifyClientCert and client_ca_file need each other"},
	{"tls_server_config:\n" PAIR "  client_auth_type: RequireAndVerifyClientCert\n",
	 "web.yml:1: client_auth_type: RequireAndVerifyClientCert and client_ca_file need each other"},
	{"tls_server_config: x\n", "web.yml:1: expected names and values"},
	{"basic_auth_users:\n  alice: secret\n", "web.yml:2: the password of alice is not hashed by bcrypt "
						 "with a cost of at most 14 (htpasswd -nBC 10 "
						 "makes such)"},
	{"basic_auth_users:\n  alice: $2y$15$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK\n",
	 "web.yml:2: the password of alice is not hashed by bcrypt with a cost of at most 14 (htpasswd -nBC "
	 "10 "
	 "makes such)"},
	{"basic_auth_users:\n  alice: " HASH "\n  alice: " HASH "\n", "web.yml:3: user alice comes twice"},
	{"basic_auth_users:\n  'a:b': " HASH "\n", "web.yml:2: a user's name has no colon in it"},
	{"basic_auth_users:\n  \"a\\u001b[31m\": x\n", "web.yml:2: the password of a?[31m is not hashed by "
						       "bcrypt with a cost of at most 14 (htpasswd -nBC 10 "
						       "makes such)"},
	{"- a\n", "web.yml:1: expected names and values, once"},
	{"{}\n---\n{}\n", "web.yml:3: expected names and values, once"},
	{"a: [\n", "web.yml:1: a is not supported"},
	{"basic_auth_users: {a: [b\n", "web.yml:1: expected a value behind the name, on one line"},
	{"basic_auth_users: &x {}\ntls_server_config: *x\n", "web.yml:2: expected names and values"},
	{"? {}\n", "web.yml:1: expected a name"},
};

static void refused_by_name_and_line(void **state)
{
	char message[512];

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_null(parse(refused[i].text, message, sizeof(message)));
		assert_string_equal(message, refused[i].message);
	}
}

static void not_yaml(void **state)
{
	char message[512];

	assert_null(parse("\t: }{", message, sizeof(message)));
	assert_non_null(strstr(message, "web.yml:1: not YAML: "));
	assert_null(parse("\xff\xfe\xff", message, sizeof(message)));
}

static void too_many_users(void **state)
{
	static char text[WEB_USERS_MAX * 100 + 200];
	char message[512];
	int length = snprintf(text, sizeof(text), "basic_auth_users:\n");

	for (int i = 0; i <= WEB_USERS_MAX; i++)
		length += snprintf(text + length, sizeof(text) - (size_t)length, "  u%d: %s\n", i, HASH);
	assert_null(parse(text, message, sizeof(message)));
	assert_string_equal(message, "web.yml:66: more than 64 users");
}

/* Relative to the file that names them; nothing that could keep us waiting, or is endless. */
static void files(void **state)
{
	struct web_config *config = NULL;
	char path[128], message[512];

	write_file("web.yml", "tls_server_config:\n" PAIR);
	snprintf(path, sizeof(path), "%s/web.yml", folder);
	assert_int_equal(web_config_load(path, &config, message, sizeof(message)), 0);
	assert_string_equal(config->key, "the key");
	web_config_free(config);
	config = NULL;

	assert_null(parse("tls_server_config:\n  key_file: missing\n", message, sizeof(message)));
	assert_non_null(strstr(message, "/missing cannot be read: No such file or directory"));
	assert_null(parse("tls_server_config:\n  key_file: /dev/zero\n", message, sizeof(message)));
	assert_non_null(strstr(message, "/dev/zero cannot be read"));
	snprintf(path, sizeof(path), "%s/pipe", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(parse("tls_server_config:\n  key_file: pipe\n", message, sizeof(message)));
	assert_int_equal(web_config_load(path, &config, message, sizeof(message)), -EINVAL);
	assert_int_equal(web_config_load("/nowhere", &config, message, sizeof(message)), -ENOENT);
	assert_string_equal(message, "/nowhere cannot be read: No such file or directory");
	snprintf(path, sizeof(path), "%s/large", folder);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
	assert_int_equal(truncate(path, WEB_FILE_BYTES_MAX + 1), 0);
	assert_int_equal(web_config_load(path, &config, message, sizeof(message)), -EFBIG);
	assert_null(config);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_of_it), CASE(less_of_it),     CASE(refused_by_name_and_line),
		CASE(not_yaml),	 CASE(too_many_users), CASE(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
