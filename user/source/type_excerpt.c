/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/type_excerpt.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define NAMES_SLOTS 4096 /* a power of two; an object has some 700 names */
#define NAMES_MAX   (NAMES_SLOTS / 2)
#define DEPTH_MAX   64 /* of types in types; the kernel's go to some 15 */

struct names {
	struct name {
		const char *text; /* of an object's types; NULL: free */
		size_t length;
	} slots[NAMES_SLOTS];
	unsigned n;
};

struct copying {
	const struct btf *kernel;
	struct btf *types;
	uint32_t *copies; /* by number in the kernel's: number in types; 0: none yet */
	int depth;
};

/* --- names ------------------------------------------------------------------------------------------------
 */

/*
 * Without the flavour: what follows three underscores tells apart how kernels define the same type
 * (bpf_core_essential_name_len() in tools/lib/bpf/relo_core.c).
 */
static size_t essential_length(const char *name)
{
	size_t length = strlen(name);

	if (!strstr(name, "___"))
		return length;
	for (size_t i = length; i-- >= 5;)
		if (name[i - 4] != '_' && !memcmp(name + i - 3, "___", 3) && name[i] != '_')
			return i - 3;
	return length;
}

static struct name *name_slot(struct names *names, const char *text, size_t length)
{
	uint32_t hash = 2166136261u;
	size_t at;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 16777619u;
	for (at = hash % NAMES_SLOTS; names->slots[at].text; at = (at + 1) % NAMES_SLOTS)
		if (names->slots[at].length == length && !memcmp(names->slots[at].text, text, length))
			break;
	return &names->slots[at];
}

/* What relocations can be about. */
static bool has_name_that_counts(const struct btf_type *type)
{
	return type->name_off && (btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type) ||
				  btf_is_int(type) || btf_is_fwd(type));
}

static int names_of(const struct btf *object, struct names *names)
{
	for (uint32_t id = 1; id < btf__type_cnt(object); id++) {
		const struct btf_type *type = btf__type_by_id(object, id);
		const char *text = btf__name_by_offset(object, type->name_off);
		size_t length;
		struct name *slot;

		if (!has_name_that_counts(type))
			continue;
		length = essential_length(text);
		slot = name_slot(names, text, length);
		if (slot->text)
			continue;
		if (names->n++ == NAMES_MAX)
			return -E2BIG;
		*slot = (struct name){text, length};
	}
	return 0;
}

/* --- copying ----------------------------------------------------------------------------------------------
 */

/* All return a number in types, 0 for void, or a negative errno. */
static int copy(struct copying *copying, uint32_t id);

/* No relocation follows a pointer: what kind of type is there is all that can be asked. */
static int copy_pointer(struct copying *copying, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(copying->kernel, id);
	int to;

	while (btf_is_mod(type) || btf_is_typedef(type) || btf_is_type_tag(type)) {
		id = type->type;
		type = btf__type_by_id(copying->kernel, id);
	}
	if (btf_is_composite(type))
		to = btf_is_union(type) ? btf__add_union(copying->types, NULL, type->size)
					: btf__add_struct(copying->types, NULL, type->size);
	else
		to = copy(copying, id);
	return to < 0 ? to : btf__add_ptr(copying->types, to);
}

static int copy_array(struct copying *copying, const struct btf_array *array)
{
	int element = copy(copying, array->type);
	int index = element < 0 ? element : copy(copying, array->index_type);

	return index < 0 ? index : btf__add_array(copying->types, index, element, (int)array->nelems);
}

static int add_members(struct copying *copying, const struct btf_type *type)
{
	for (uint32_t i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const char *name = btf__name_by_offset(copying->kernel, member->name_off);
		int error = btf__add_field(copying->types, name, copy(copying, member->type),
					   btf_member_bit_offset(type, i), btf_member_bitfield_size(type, i));

		if (error)
			return error;
	}
	return 0;
}

/* The types of members first: they cannot be added between a type and its members. */
static int copy_composite(struct copying *copying, const struct btf_type *type, const char *name)
{
	int id = 0, error;

	for (uint32_t i = 0; i < btf_vlen(type) && id >= 0; i++)
		id = copy(copying, btf_members(type)[i].type);
	if (id < 0)
		return id;
	id = btf_is_union(type) ? btf__add_union(copying->types, name, type->size)
				: btf__add_struct(copying->types, name, type->size);
	error = id < 0 ? id : add_members(copying, type);
	return error ? error : id;
}

static int copy_enum(struct copying *copying, const struct btf_type *type, const char *name)
{
	int id = btf__add_enum(copying->types, name, type->size), error = id < 0 ? id : 0;

	for (uint32_t i = 0; i < btf_vlen(type) && !error; i++) {
		const struct btf_enum *value = &btf_enum(type)[i];

		error = btf__add_enum_value(
			copying->types, btf__name_by_offset(copying->kernel, value->name_off), value->val);
	}
	return error ? error : id;
}

static int copy_enum64(struct copying *copying, const struct btf_type *type, const char *name)
{
	int id = btf__add_enum64(copying->types, name, type->size, btf_kflag(type)), error = id < 0 ? id : 0;

	for (uint32_t i = 0; i < btf_vlen(type) && !error; i++) {
		const struct btf_enum64 *value = &btf_enum64(type)[i];

		error = btf__add_enum64_value(copying->types,
					      btf__name_by_offset(copying->kernel, value->name_off),
					      btf_enum64_value(value));
	}
	return error ? error : id;
}

static int copy_prototype(struct copying *copying, const struct btf_type *type)
{
	int id = copy(copying, type->type), error = 0, result = id;

	for (uint32_t i = 0; i < btf_vlen(type) && id >= 0; i++)
		id = copy(copying, btf_params(type)[i].type);
	if (id < 0)
		return id;
	id = btf__add_func_proto(copying->types, result);
	for (uint32_t i = 0; i < btf_vlen(type) && id >= 0 && !error; i++) {
		const struct btf_param *param = &btf_params(type)[i];

		error = btf__add_func_param(copying->types,
					    btf__name_by_offset(copying->kernel, param->name_off),
					    copy(copying, param->type));
	}
	return error ? error : id;
}

static int copy_named(struct copying *copying, const struct btf_type *type)
{
	const char *name = btf__name_by_offset(copying->kernel, type->name_off);
	int to;

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		return btf__add_int(copying->types, name, type->size, btf_int_encoding(type));
	case BTF_KIND_FLOAT:
		return btf__add_float(copying->types, name, type->size);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return copy_composite(copying, type, name);
	case BTF_KIND_ENUM:
		return copy_enum(copying, type, name);
	case BTF_KIND_ENUM64:
		return copy_enum64(copying, type, name);
	case BTF_KIND_FWD:
		return btf__add_fwd(copying->types, name, btf_kflag(type) ? BTF_FWD_UNION : BTF_FWD_STRUCT);
	case BTF_KIND_TYPEDEF:
		to = copy(copying, type->type);
		return to < 0 ? to : btf__add_typedef(copying->types, name, to);
	default:
		return -EINVAL;
	}
}

static int copy_anew(struct copying *copying, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(copying->kernel, id);

	if (!type)
		return -EINVAL;
	switch (btf_kind(type)) {
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return copy(copying, type->type); /* libbpf passes over them */
	case BTF_KIND_PTR:
		return copy_pointer(copying, type->type);
	case BTF_KIND_ARRAY:
		return copy_array(copying, btf_array(type));
	case BTF_KIND_FUNC_PROTO:
		return copy_prototype(copying, type);
	default:
		return copy_named(copying, type);
	}
}

static int copy(struct copying *copying, uint32_t id)
{
	int result;

	if (!id || copying->copies[id])
		return (int)copying->copies[id];
	if (copying->depth == DEPTH_MAX)
		return -ELOOP;
	copying->depth++;
	result = copy_anew(copying, id);
	copying->depth--;
	if (result > 0)
		copying->copies[id] = (uint32_t)result;
	return result;
}

/* In their order: where several have the same name, libbpf looks at all. */
static int copy_wanted(struct copying *copying, struct names *names)
{
	for (uint32_t id = 1; id < btf__type_cnt(copying->kernel); id++) {
		const struct btf_type *type = btf__type_by_id(copying->kernel, id);
		const char *text;
		int result;

		if (!has_name_that_counts(type))
			continue;
		text = btf__name_by_offset(copying->kernel, type->name_off);
		if (!name_slot(names, text, essential_length(text))->text)
			continue;
		result = copy(copying, id);
		if (result < 0)
			return result;
	}
	return 0;
}

static int make(const struct btf *kernel, const struct btf *object, struct btf **ret_types)
{
	struct copying copying = {.kernel = kernel,
				  .types = btf__new_empty(),
				  .copies = calloc(btf__type_cnt(kernel), sizeof(*copying.copies))};
	struct names *names = calloc(1, sizeof(*names));
	int error = !names || !copying.types || !copying.copies ? -ENOMEM : names_of(object, names);

	if (!error)
		error = copy_wanted(&copying, names);
	free(names);
	free(copying.copies);
	if (error)
		btf__free(copying.types);
	else
		*ret_types = copying.types;
	return error;
}

/* --- files ------------------------------------------------------------------------------------------------
 */

static struct btf *types_in(Elf *elf)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		const char *name =
			gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
		const Elf_Data *data = name && !strcmp(name, ".BTF") ? elf_rawdata(section, NULL) : NULL;

		if (data)
			return btf__new(data->d_buf, (uint32_t)data->d_size);
	}
	return NULL;
}

static struct btf *types_of_object(const void *object, size_t size)
{
	struct btf *types;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_memory((char *)object, size);
	types = elf ? types_in(elf) : NULL;
	elf_end(elf);
	return types;
}

/* Since 6.3 kernels complain of who does not say that nothing in it is to be executed; older ones do not know
 * it. */
static int new_file(void)
{
	static const char name[] = "portsnoop types";
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC) : fd;
}

static int put_in_file(const struct btf *types)
{
	uint32_t size;
	const void *bytes = btf__raw_data(types, &size);
	int fd = bytes ? new_file() : -1;

	if (fd >= 0 && write(fd, bytes, size) == (ssize_t)size)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* As libbpf will do it. */
static bool can_be_opened(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void type_excerpt_open(struct type_excerpt *ret_excerpt, const struct btf *kernel, const void *object,
		       size_t size)
{
	struct btf *names = types_of_object(object, size), *types = NULL;

	*ret_excerpt = (struct type_excerpt)TYPE_EXCERPT_NONE;
	if (names && make(kernel, names, &types) == 0)
		ret_excerpt->fd = put_in_file(types);
	snprintf(ret_excerpt->path, sizeof(ret_excerpt->path), "/proc/self/fd/%d", ret_excerpt->fd);
	if (!can_be_opened(ret_excerpt->path))
		type_excerpt_close(ret_excerpt);
	btf__free(types);
	btf__free(names);
}

const char *type_excerpt_path(const struct type_excerpt *excerpt)
{
	return excerpt->fd >= 0 ? excerpt->path : NULL;
}

void type_excerpt_close(struct type_excerpt *excerpt)
{
	if (excerpt->fd >= 0)
		close(excerpt->fd);
	*excerpt = (struct type_excerpt)TYPE_EXCERPT_NONE;
}
