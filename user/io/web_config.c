/* SPDX-License-Identifier: GPL-2.0-only */
#include "io/web_config.h"

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#define COST_AT 4 /* $2b$10$... */

struct reading {
	yaml_parser_t parser;
	struct web_config *config;
	const char *title, *folder;
	bool requires_client; /* client_auth_type said so; whether there is a CA comes later, perhaps */
	char *message;
	size_t message_size;
};

/* --- errors -----------------------------------------------------------------------------------------------
 */

__attribute__((format(printf, 4, 5))) static int fail(struct reading *reading, int error, size_t line,
						      const char *format, ...)
{
	va_list arguments;
	int length = snprintf(reading->message, reading->message_size, "%s:%zu: ", reading->title, line + 1);

	if (length < 0 || (size_t)length >= reading->message_size)
		return error;
	va_start(arguments, format);
	vsnprintf(reading->message + length, reading->message_size - (size_t)length, format, arguments);
	va_end(arguments);
	return error;
}

/* Names of a file are shown, whatever is in them. */
static const char *shown(const char *name, char *buf, size_t size)
{
	size_t i;

	for (i = 0; name[i] && i + 1 < size; i++)
		buf[i] = name[i] > ' ' && name[i] < 127 ? name[i] : '?';
	buf[i] = '\0';
	return buf;
}

/* --- files ------------------------------------------------------------------------------------------------
 */

static int read_all(int fd, char **ret_text, size_t *ret_length)
{
	char *text = malloc(WEB_FILE_BYTES_MAX + 1);
	size_t length = 0;
	ssize_t n = 1;

	if (!text)
		return -ENOMEM;
	while (n > 0 && length <= WEB_FILE_BYTES_MAX) {
		n = read(fd, text + length, WEB_FILE_BYTES_MAX + 1 - length);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			length += (size_t)n;
	}
	if (n < 0 || length > WEB_FILE_BYTES_MAX) {
		n = n < 0 ? -errno : -EFBIG;
		explicit_bzero(text, length <= WEB_FILE_BYTES_MAX ? length : WEB_FILE_BYTES_MAX);
		free(text);
		return (int)n;
	}
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

/* Not what would keep us waiting: a pipe, a terminal. */
static int read_file(const char *path, char **ret_text, size_t *ret_length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status))
		error = -errno;
	else
		error = S_ISREG(status.st_mode) ? read_all(fd, ret_text, ret_length) : -EINVAL;
	close(fd);
	return error;
}

static int read_named(struct reading *reading, const yaml_event_t *value, char **ret_text)
{
	const char *name = (const char *)value->data.scalar.value;
	char path[PATH_MAX], *text;
	size_t length;
	int error, n = snprintf(path, sizeof(path), "%s%s%s", *name == '/' ? "" : reading->folder,
				*name == '/' ? "" : "/", name);

	if (n < 0 || (size_t)n >= sizeof(path))
		return fail(reading, -ENAMETOOLONG, value->start_mark.line, "the file's name is too long");
	error = read_file(path, &text, &length);
	if (!error && strlen(text) != length) {
		explicit_bzero(text, length);
		free(text);
		error = -EINVAL;
	}
	if (error)
		return fail(reading, error, value->start_mark.line, "%s cannot be read: %s", path,
			    strerror(-error));
	free(*ret_text);
	*ret_text = text;
	return 0;
}

/* --- values -----------------------------------------------------------------------------------------------
 */

static bool value_is(const yaml_event_t *value, const char *word)
{
	return !strcmp((const char *)value->data.scalar.value, word);
}

static int read_client_auth(struct reading *reading, const yaml_event_t *value)
{
	if (value_is(value, "RequireAndVerifyClientCert"))
		reading->requires_client = true;
	else if (value_is(value, "NoClientCert"))
		reading->requires_client = false;
	else
		return fail(reading, -EINVAL, value->start_mark.line,
			    "client_auth_type is NoClientCert or RequireAndVerifyClientCert");
	return 0;
}

static int read_min_version(struct reading *reading, const yaml_event_t *value)
{
	if (value_is(value, "TLS13"))
		reading->config->tls13_only = true;
	else if (value_is(value, "TLS12"))
		reading->config->tls13_only = false;
	else
		return fail(reading, -EINVAL, value->start_mark.line, "min_version is TLS12 or TLS13");
	return 0;
}

static int read_tls(struct reading *reading, const yaml_event_t *key, const yaml_event_t *value)
{
	char buf[64];

	if (value_is(key, "cert_file"))
		return read_named(reading, value, &reading->config->certificate);
	if (value_is(key, "key_file"))
		return read_named(reading, value, &reading->config->key);
	if (value_is(key, "client_ca_file"))
		return read_named(reading, value, &reading->config->client_ca);
	if (value_is(key, "client_auth_type"))
		return read_client_auth(reading, value);
	if (value_is(key, "min_version"))
		return read_min_version(reading, value);
	return fail(reading, -EINVAL, key->start_mark.line, "tls_server_config.%s is not supported",
		    shown((const char *)key->data.scalar.value, buf, sizeof(buf)));
}

/* The digits are there, and as many as crypt(3) wants. */
static bool is_bcrypt(const char *hash)
{
	return strlen(hash) == 60 && hash[0] == '$' && hash[1] == '2' && strchr("aby", hash[2]) &&
	       hash[3] == '$' && crypt_checksalt(hash) == CRYPT_SALT_OK &&
	       atoi(hash + COST_AT) <= WEB_BCRYPT_COST_MAX;
}

static int read_user(struct reading *reading, const yaml_event_t *key, const yaml_event_t *value)
{
	struct web_config *config = reading->config;
	struct web_user *user = &config->users[config->n_users];
	const char *name = (const char *)key->data.scalar.value;
	char buf[64];

	if (config->n_users == WEB_USERS_MAX)
		return fail(reading, -E2BIG, key->start_mark.line, "more than %d users", WEB_USERS_MAX);
	if (!*name || strchr(name, ':') || strlen(name) != key->data.scalar.length)
		return fail(reading, -EINVAL, key->start_mark.line, "a user's name has no colon in it");
	for (size_t i = 0; i < config->n_users; i++)
		if (!strcmp(config->users[i].name, name))
			return fail(reading, -EINVAL, key->start_mark.line, "user %s comes twice",
				    shown(name, buf, sizeof(buf)));
	if (!is_bcrypt((const char *)value->data.scalar.value))
		return fail(reading, -EINVAL, value->start_mark.line,
			    "the password of %s is not hashed by bcrypt with a cost of at most %d (htpasswd "
			    "-nBC 10 makes such)",
			    shown(name, buf, sizeof(buf)), WEB_BCRYPT_COST_MAX);
	user->name = strdup(name);
	user->hash = strdup((const char *)value->data.scalar.value);
	config->n_users++;
	return user->name && user->hash ? 0 : -ENOMEM;
}

/* --- structure --------------------------------------------------------------------------------------------
 */

static int next_event(struct reading *reading, yaml_event_t *ret_event)
{
	const yaml_parser_t *parser = &reading->parser;

	if (yaml_parser_parse(&reading->parser, ret_event))
		return 0;
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return fail(reading, -EINVAL, parser->problem_mark.line, "not YAML: %s",
		    parser->problem ? parser->problem : "unreadable");
}

/* A scalar; the caller deletes the event when this returns 0. */
static int next_scalar(struct reading *reading, yaml_event_t *ret_event, const char *what)
{
	size_t line;
	int error = next_event(reading, ret_event);

	if (error || ret_event->type == YAML_SCALAR_EVENT)
		return error;
	line = ret_event->start_mark.line;
	yaml_event_delete(ret_event);
	return fail(reading, -EINVAL, line, "expected %s", what);
}

typedef int (*read_pair)(struct reading *reading, const yaml_event_t *key, const yaml_event_t *value);

static int read_pairs(struct reading *reading, read_pair read)
{
	int error = 0;

	while (!error) {
		yaml_event_t key, value;

		error = next_event(reading, &key);
		if (error)
			return error;
		if (key.type != YAML_SCALAR_EVENT) {
			bool end = key.type == YAML_MAPPING_END_EVENT;
			size_t line = key.start_mark.line;

			yaml_event_delete(&key);
			return end ? 0 : fail(reading, -EINVAL, line, "expected a name");
		}
		error = next_scalar(reading, &value, "a value behind the name, on one line");
		if (!error) {
			error = read(reading, &key, &value);
			yaml_event_delete(&value);
		}
		yaml_event_delete(&key);
	}
	return error;
}

/* An empty section is as none. */
static int read_section(struct reading *reading, read_pair read)
{
	yaml_event_t event;
	int error = next_event(reading, &event);
	bool mapping, empty;
	size_t line;

	if (error)
		return error;
	mapping = event.type == YAML_MAPPING_START_EVENT;
	empty = event.type == YAML_SCALAR_EVENT && event.data.scalar.length == 0;
	line = event.start_mark.line;
	yaml_event_delete(&event);
	if (mapping)
		return read_pairs(reading, read);
	return empty ? 0 : fail(reading, -EINVAL, line, "expected names and values");
}

static int read_key(struct reading *reading, const yaml_event_t *key)
{
	char buf[64];

	if (value_is(key, "tls_server_config"))
		return read_section(reading, read_tls);
	if (value_is(key, "basic_auth_users"))
		return read_section(reading, read_user);
	return fail(reading, -EINVAL, key->start_mark.line, "%s is not supported",
		    shown((const char *)key->data.scalar.value, buf, sizeof(buf)));
}

/* A line of the outermost mapping; 1 at its end. */
static int read_top(struct reading *reading)
{
	yaml_event_t event;
	int error = next_event(reading, &event);

	if (error)
		return error;
	if (event.type == YAML_MAPPING_END_EVENT)
		error = 1;
	else if (event.type == YAML_SCALAR_EVENT)
		error = read_key(reading, &event);
	else
		error = fail(reading, -EINVAL, event.start_mark.line, "expected a name");
	yaml_event_delete(&event);
	return error;
}

/* Begin and end of stream and document are passed over; what is no mapping, or a second document, is not. */
static int read_document(struct reading *reading)
{
	bool read = false;

	for (;;) {
		yaml_event_t event;
		int error = next_event(reading, &event);
		yaml_event_type_t type = event.type;
		bool empty;
		size_t line;

		if (error)
			return error;
		empty = type == YAML_SCALAR_EVENT && event.data.scalar.length == 0;
		line = event.start_mark.line;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			return 0;
		if (type == YAML_MAPPING_START_EVENT && !read) {
			read = true;
			while (!error)
				error = read_top(reading);
			if (error < 0)
				return error;
		} else if (type != YAML_STREAM_START_EVENT && type != YAML_DOCUMENT_START_EVENT &&
			   type != YAML_DOCUMENT_END_EVENT && !empty) {
			return fail(reading, -EINVAL, line, "expected names and values, once");
		}
	}
}

static int check_whole(struct reading *reading)
{
	struct web_config *config = reading->config;

	if (!config->certificate != !config->key)
		return fail(reading, -EINVAL, 0, "tls_server_config needs both cert_file and key_file");
	if (config->client_ca && !config->certificate)
		return fail(reading, -EINVAL, 0, "client_ca_file needs cert_file and key_file");
	if (config->tls13_only && !config->certificate)
		return fail(reading, -EINVAL, 0, "min_version needs cert_file and key_file");
	if (reading->requires_client != !!config->client_ca)
		return fail(
			reading, -EINVAL, 0,
			"client_auth_type: RequireAndVerifyClientCert and client_ca_file need each other");
	config->client_required = reading->requires_client;
	return 0;
}

int web_config_parse(const char *text, size_t length, const char *title, const char *folder,
		     struct web_config **ret_config, char *message, size_t size)
{
	struct reading reading = {.title = title, .folder = folder, .message = message, .message_size = size};
	int error = -ENOMEM;

	snprintf(message, size, "out of memory");
	if (!yaml_parser_initialize(&reading.parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&reading.parser, (const unsigned char *)text, length);
	reading.config = calloc(1, sizeof(*reading.config));
	if (reading.config)
		error = read_document(&reading);
	if (!error)
		error = check_whole(&reading);
	yaml_parser_delete(&reading.parser);
	if (error) {
		web_config_free(reading.config);
		return error;
	}
	*ret_config = reading.config;
	return 0;
}

int web_config_load(const char *path, struct web_config **ret_config, char *message, size_t size)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".", *text;
	size_t length;
	int error = read_file(path, &text, &length);

	if (error) {
		snprintf(message, size, "%s cannot be read: %s", path, strerror(-error));
		return error;
	}
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
	error = web_config_parse(text, length, path, folder, ret_config, message, size);
	explicit_bzero(text, length);
	free(text);
	return error;
}

static void forget(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

void web_config_free(struct web_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->n_users; i++) {
		free(config->users[i].name);
		forget(config->users[i].hash);
	}
	free(config->certificate);
	free(config->client_ca);
	forget(config->key);
	free(config);
}
