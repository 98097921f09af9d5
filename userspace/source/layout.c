/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * layout - a digest of all that two builds must agree on to share maps.
 *
 * That is each map's type, sizes and flags, the declarations of its keys and
 * values as the objects' BTF tells them, and the settings under which other
 * programs would fill the maps otherwise. What is not in it can be changed while
 * the kernel goes on counting.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "probes_private.h"
#include "programs.h"

#define OBJECTS_MAX 16
#define MEANING     1 /* raise it when a bit or number in a map means something new */

struct layout {
	struct bpf_object *objects[OBJECTS_MAX];
	size_t object_count;
	struct bpf_map *maps[MAPS_MAX]; /* each name once */
	const struct btf *btf[MAPS_MAX];
	size_t map_count;
	struct buf text;
};

static void
close_objects(struct layout *layout)
{
	for (size_t i = 0; i < layout->object_count; i++)
		bpf_object__close(layout->objects[i]);
	buf_fini(&layout->text);
}

/* Insert it where it belongs by its name, unless it is there. */
static void
note_map(struct layout *layout, struct bpf_map *map, const struct btf *btf)
{
	size_t at = layout->map_count;
	int order;

	while (at > 0) {
		order = strcmp(bpf_map__name(layout->maps[at - 1]), bpf_map__name(map));
		if (!order)
			return;
		if (order < 0)
			break;
		at--;
	}
	memmove(&layout->maps[at + 1], &layout->maps[at],
		(layout->map_count - at) * sizeof(layout->maps[0]));
	memmove(&layout->btf[at + 1], &layout->btf[at],
		(layout->map_count - at) * sizeof(layout->btf[0]));
	layout->maps[at] = map;
	layout->btf[at] = btf;
	layout->map_count++;
}

static int
note_object(struct layout *layout, const struct probes *probes, elf_fn elf)
{
	size_t size;
	const void *bytes = elf(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, NULL);
	struct bpf_map *map;

	if (!object)
		return -errno;
	layout->objects[layout->object_count++] = object;
	object_size_maps(probes, object);
	bpf_object__for_each_map(map, object)
	{
		if (bpf_map__is_internal(map))
			continue;
		if (layout->map_count == MAPS_MAX)
			return -E2BIG;
		note_map(layout, map, bpf_object__btf(object));
	}
	return 0;
}

static void __attribute__((format(printf, 2, 0))) print(void *arg, const char *format, va_list args)
{
	struct buf *text = arg;
	char piece[512];
	int length = vsnprintf(piece, sizeof(piece), format, args);

	if (length >= (int)sizeof(piece))
		text->failed = true;
	else if (length > 0)
		buf_add(text, piece, (size_t)length);
}

static int
describe_map(struct buf *text, const struct bpf_map *map, const struct btf *btf)
{
	const uint32_t types[2] = {bpf_map__btf_key_type_id(map), bpf_map__btf_value_type_id(map)};
	struct btf_dump *dump;
	int result = 0;

	buf_addf(text, "map %s type %u key %u value %u entries %u flags %u\n", bpf_map__name(map),
		 bpf_map__type(map), bpf_map__key_size(map), bpf_map__value_size(map),
		 bpf_map__max_entries(map), bpf_map__map_flags(map));
	dump = btf_dump__new(btf, print, text, NULL);
	if (!dump)
		return -errno;
	for (size_t i = 0; i < 2 && !result; i++)
		if (types[i])
			result = btf_dump__dump_type(dump, types[i]);
	btf_dump__free(dump);
	return result < 0 ? result : 0;
}

/* All of the layout as text: the digest is of this. */
static int
describe(struct layout *layout, const struct probes *probes)
{
	const struct probes_options *options = &probes->options;
	int result = 0;

	buf_addf(&layout->text, "meaning %d scope %" PRIu64 " loopback %d netns %s\n", MEANING,
		 probes->scope_id, options->loopback, options->netns ? options->netns : "");
	for (size_t i = 0; i < object_count && !result; i += 2) /* the plain ones have the same */
		result = note_object(layout, probes, object_files[i]);
	for (size_t i = 0; i < layout->map_count && !result; i++)
		result = describe_map(&layout->text, layout->maps[i], layout->btf[i]);
	return result ? result : layout->text.failed ? -ENOMEM : 0;
}

int
layout_name(const struct probes *probes, char out[LAYOUT_TEXT])
{
	struct layout layout cleanup(close_objects) = {0};
	unsigned char digest[EVP_MAX_MD_SIZE];
	int result = describe(&layout, probes);

	if (result < 0)
		return result;
	if (!EVP_Digest(layout.text.data, layout.text.length, digest, NULL, EVP_sha256(), NULL))
		return -ENOMEM;
	for (size_t i = 0; i < LAYOUT_TEXT / 2; i++)
		snprintf(&out[2 * i], 3, "%02x", digest[i]);
	return 0;
}

uint64_t
layout_build(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};
	uint64_t build;
	bool fine = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL);

	for (size_t i = 0; i < object_count && fine; i++) {
		size_t size;
		const void *bytes = object_files[i](&size);

		fine = EVP_DigestUpdate(context, bytes, size);
	}
	if (fine)
		EVP_DigestFinal_ex(context, digest, NULL);
	EVP_MD_CTX_free(context);
	memcpy(&build, digest, sizeof(build));
	return build;
}
