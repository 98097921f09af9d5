/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* database - open an MMDB file, learn its records, look addresses up. */
#include "place/database.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "place/layout.h"

static void
database_drop(struct database *database)
{
	database_fini(database);
}

/* A node still to be seen. */
struct walk {
	uint32_t *stack;
	size_t depth, room;
	uint8_t *seen; /* a bit each */
};

static void
walk_fini(struct walk *walk)
{
	free(walk->stack);
	free(walk->seen);
}

static int
push_node(struct walk *walk, uint32_t node)
{
	if (walk->seen[node / 8] & 1 << node % 8)
		return 0; /* mirrored networks share nodes */
	walk->seen[node / 8] |= (uint8_t)(1 << node % 8);
	if (walk->depth == walk->room) {
		size_t room = walk->room ? walk->room * 2 : 256;
		uint32_t *stack = reallocarray(walk->stack, room, sizeof(*stack));

		if (!stack)
			return -ENOMEM;
		walk->stack = stack;
		walk->room = room;
	}
	walk->stack[walk->depth++] = node;
	return 0;
}

static int
note_record(struct database *database, uint32_t offset)
{
	size_t room = database->room ? database->room * 2 : 256;
	struct database_record *records;

	database->networks++;
	if (database->count == database->room) {
		records = reallocarray(database->records, room, sizeof(*records));
		if (!records)
			return -ENOMEM;
		database->records = records;
		database->room = room;
	}
	database->records[database->count++].offset = offset;
	return 0;
}

static int
visit(struct database *database, struct walk *walk, uint64_t value, uint8_t type,
      const MMDB_entry_s *entry)
{
	switch (type) {
	case MMDB_RECORD_TYPE_SEARCH_NODE:
		return push_node(walk, (uint32_t)value);
	case MMDB_RECORD_TYPE_DATA:
		return note_record(database, entry->offset);
	case MMDB_RECORD_TYPE_EMPTY:
		return 0;
	default:
		return -EINVAL;
	}
}

static int
compare_offsets(const void *a, const void *b)
{
	const struct database_record *left = a, *right = b;

	return (left->offset > right->offset) - (left->offset < right->offset);
}

static void
drop_equal_offsets(struct database *database)
{
	struct database_record *records = database->records;
	size_t kept = 0;

	if (database->count > 0)
		qsort(records, database->count, sizeof(*records), compare_offsets);
	for (size_t i = 0; i < database->count; i++) {
		if (kept == 0 || records[kept - 1].offset != records[i].offset)
			records[kept++] = records[i];
	}
	database->count = kept;
}

/* Note the offset of every record that the search tree leads to. */
static int
walk_tree(struct database *database)
{
	struct walk walk cleanup(walk_fini) = {0};
	uint32_t nodes = database->mmdb.metadata.node_count;
	MMDB_search_node_s node;
	int err;

	walk.seen = calloc(nodes / 8 + 1, 1);
	if (!walk.seen)
		return -ENOMEM;
	err = push_node(&walk, 0);
	while (err == 0 && walk.depth > 0) {
		if (MMDB_read_node(&database->mmdb, walk.stack[--walk.depth], &node) !=
		    MMDB_SUCCESS)
			return -EINVAL;
		err = visit(database, &walk, node.left_record, node.left_record_type,
			    &node.left_record_entry);
		if (err == 0)
			err = visit(database, &walk, node.right_record, node.right_record_type,
				    &node.right_record_entry);
	}
	if (err == 0)
		drop_equal_offsets(database);
	return err;
}

static int
decode_records(struct database *database, const struct database_options *options)
{
	struct layout layout cleanup(layout_fini) = {0};
	int err = layout_init(&layout, options, database->mmdb.metadata.database_type);

	for (size_t i = 0; i < database->count && err == 0; i++) {
		struct database_record *record = &database->records[i];
		MMDB_entry_s entry = {.mmdb = &database->mmdb, .offset = record->offset};

		err = layout_read(&layout, &entry, &database->names, &record->facts);
		database->has_location |= record->facts.location != COUNTRY_NONE;
		database->has_operator |= record->facts.operator_country != COUNTRY_NONE;
		database->has_asn |= record->facts.asn != 0;
	}
	return err;
}

/*
 * libmaxminddb before 1.9 multiplies these in 32 bits, and reads beyond the
 * file when the product wraps around.
 */
static bool
is_tree_inside(const MMDB_s *mmdb)
{
	uint64_t tree_bytes = (uint64_t)mmdb->metadata.node_count * mmdb->full_record_byte_size;

	return tree_bytes + 16 <= (uint64_t)mmdb->file_size;
}

int
database_open(struct database *database, const char *path, const struct database_options *options,
	      struct error *why)
{
	struct database made cleanup(database_drop) = {0};
	int status = MMDB_open(path, MMDB_MODE_MMAP, &made.mmdb);
	int err;

	if (status != MMDB_SUCCESS)
		return error_set(why, status == MMDB_OUT_OF_MEMORY_ERROR ? -ENOMEM : -EINVAL,
				 "no usable MMDB: %s", MMDB_strerror(status));
	made.is_open = true;
	if (!is_tree_inside(&made.mmdb))
		return error_set(why, -EINVAL, "no usable MMDB: its search tree is cut off");
	err = walk_tree(&made);
	if (err == 0)
		err = decode_records(&made, options);
	if (err == -EINVAL)
		return error_set(why, err, "no usable MMDB: its tree or a record is corrupt");
	if (err < 0)
		return error_set(why, err, "%s", strerror(-err));
	*database = made;
	made = (struct database){0};
	return 0;
}

static MMDB_lookup_result_s
lookup(const MMDB_s *mmdb, const struct ip *ip, int *status)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (ip_is_v4(ip)) {
		memcpy(&v4.sin_addr, ip->bytes + 12, sizeof(v4.sin_addr));
		return MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&v4, status);
	}
	memcpy(&v6.sin6_addr, ip->bytes, sizeof(v6.sin6_addr));
	return MMDB_lookup_sockaddr(mmdb, (const struct sockaddr *)&v6, status);
}

const struct facts *
database_find(const struct database *database, const struct ip *ip)
{
	struct database_record key = {0};
	const struct database_record *hit;
	int status = MMDB_SUCCESS;
	MMDB_lookup_result_s result = lookup(&database->mmdb, ip, &status);

	/* Addresses of IPv6 in a file of IPv4 are an error there, and unknown here. */
	if (status != MMDB_SUCCESS || !result.found_entry || database->count == 0)
		return NULL;
	key.offset = result.entry.offset;
	hit = bsearch(&key, database->records, database->count, sizeof(key), compare_offsets);
	return hit ? &hit->facts : NULL;
}

void
database_fini(struct database *database)
{
	if (database->is_open)
		MMDB_close(&database->mmdb);
	free(database->records);
	names_fini(&database->names);
	*database = (struct database){0};
}
