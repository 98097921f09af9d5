/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* live - the kernel side opened as the configuration says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "live.h"

/* Scopes that stay on the node or the site: their first packets are not urgent. */
static const struct {
	const char *scope;
	const char *prefix;
} special[] = {
	{"loopback", "127.0.0.0/8"},      {"loopback", "::1/128"},
	{"private", "10.0.0.0/8"},        {"private", "172.16.0.0/12"},
	{"private", "192.168.0.0/16"},    {"private", "fc00::/7"},
	{"link-local", "169.254.0.0/16"}, {"link-local", "fe80::/10"},
	{"multicast", "224.0.0.0/4"},     {"multicast", "ff00::/8"},
	{"cgnat", "100.64.0.0/10"},       {"broadcast", "255.255.255.255/32"},
};
#define SPECIAL_COUNT (sizeof(special) / sizeof(special[0]))

static bool
is_listed(const char *const *list, const char *word)
{
	for (; *list; list++)
		if (!strcmp(*list, word))
			return true;
	return false;
}

static size_t
gather_own(struct prefix *out, const struct config *config, const struct prefix *own,
	   size_t own_count)
{
	size_t count = 0;

	for (size_t i = 0; i < own_count; i++)
		out[count++] = own[i];
	for (size_t i = 0; i < SPECIAL_COUNT; i++)
		if (!is_listed(config->place_as_public, special[i].scope) &&
		    !prefix_parse(&out[count], special[i].prefix))
			count++;
	return count;
}

void
live_probes_options(struct probes_options *options, const struct config *config)
{
	memset(options, 0, sizeof(*options));
	options->scope = config->scope;
	options->table_entries = config->flows_table_entries;
	options->ring_critical_bytes = config->ring_critical_bytes;
	options->ring_bulk_bytes = config->ring_bulk_bytes;
	options->loopback = config->flows_loopback;
	options->argv_bytes = strcmp(config->privacy_argv, "drop") ? WIRE_TEXT_BYTES : 0;
	options->uplinks = config->nic_interfaces;
	options->instance = config->instance;
	options->netns = config->nic_netns;
	options->pins = config->pins;
}

static int
open_ring(struct live *live, const struct config *config, const struct carry *carry,
	  struct error *why)
{
	const struct ring_options ring = {
		.interval_ns = config->flows_interval_s * 1000000000ull,
		.idle_ns = config->flows_idle_s * 1000000000ull,
	};

	return ring_open(&live->source, live->probes, &ring, carry, why);
}

int
live_open(struct live *live, const struct config *config, const struct live_options *options,
	  struct error *why)
{
	struct prefix *prefixes cleanup(free_drop) =
		calloc(options->own_count + SPECIAL_COUNT, sizeof(*prefixes));
	struct probes_options probes;
	int result;

	if (!prefixes)
		return -ENOMEM;
	live_probes_options(&probes, config);
	probes.apart = options->apart;
	probes.own = prefixes;
	probes.own_count = gather_own(prefixes, config, options->own, options->own_count);
	result = probes_open(&live->probes, &probes, why);
	if (result < 0)
		return result;
	result = open_ring(live, config, options->carry, why);
	if (result < 0)
		probes_close(take(live->probes));
	return result;
}

int
live_open_stale(struct live *live, const struct config *config, const struct carry *carry,
		uint64_t *stopped_ns, struct error *why)
{
	struct probes_options probes;
	int result;

	live_probes_options(&probes, config);
	result = probes_open_stale(&live->probes, &probes, stopped_ns, why);
	if (result < 0 || !probes_readable(live->probes))
		return result;
	result = open_ring(live, config, carry, why);
	if (result < 0)
		probes_close(take(live->probes));
	return result;
}

void
live_discard(struct live *live)
{
	if (live->source)
		live->source->ops->close(live->source);
	probes_discard(live->probes);
	live->source = NULL;
	live->probes = NULL;
}

void
live_close(struct live *live)
{
	if (live->source)
		live->source->ops->close(live->source);
	probes_close(live->probes);
	live->source = NULL;
	live->probes = NULL;
}

size_t
live_print_coverage(const struct probes *probes, FILE *out)
{
	static const char *const states[] = {"attached", "refused", "off"};
	size_t count, refused = 0;
	const struct coverage *rows = probes_coverage(probes, &count);

	for (size_t i = 0; i < count; i++) {
		fprintf(out, "  %-8s  %-40s %s\n", states[rows[i].state], rows[i].subject,
			rows[i].hook);
		if (rows[i].state == COVERAGE_ATTACHED)
			continue;
		fprintf(out, "            because: %s\n            not seen: %s\n", rows[i].why,
			rows[i].unseen);
		refused += rows[i].state == COVERAGE_REFUSED;
	}
	return refused;
}

void
boot_id_read(char out[40])
{
	FILE *file cleanup(file_drop) = fopen("/proc/sys/kernel/random/boot_id", "re");

	out[0] = 0;
	if (file && fgets(out, 40, file))
		out[strcspn(out, "\n")] = 0;
}
