/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * place.h - where an address is, and whose law binds it.
 *
 * Sources in the order in which they win: the operator's overrides and geofeeds,
 * own networks and special scopes, provider ranges, MMDB files, and last unknown,
 * which is a value of its own and never silently allowed. Location and operator
 * are resolved apart: a US operator's Frankfurt address is DE and US.
 *
 * A scope says what kind of address it is, and overrides don't change it: an
 * override of 10.0.0.0/8 gives a location to what stays private. as_public makes
 * a scope "public", and only public addresses are looked up in MMDB files. Own
 * prefixes claim any address but loopback, metadata, multicast, broadcast and
 * unspecified ones. 6to4, NAT64 and Teredo addresses are judged, by every source,
 * as the IPv4 address they carry.
 *
 * A struct places is loaded once and then never changes; place_resolve() is
 * pure. A reload builds a new one. Nothing is ever downloaded.
 */
#ifndef PLACE_H
#define PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "event.h"

struct places;

struct places_options {
	const char *const
		*overrides; /* files: CSV "prefix,location,operator_country[,provider[,region]]" */
	const char *const *geofeeds; /* files: RFC 8805 CSV */
	/* files: MMDB with countries, ASNs or both. The first that knows wins. A file is written
	 * operator=FILE or location=FILE to say what a plain country_code in it is about;
	 * otherwise it is a location, or the operator's in a file whose type speaks of ASNs */
	const char *const *databases;
	const char *const *legal;     /* files: dated legal groups (rules/legal JSON) */
	const char *const *own;       /* prefixes of the cluster, as text */
	const char *const *as_public; /* special scopes to treat as public, e.g. "documentation" */
	const char *location_path; /* MMDB field, dots between; NULL: detect both common layouts */
	const char *operator_path;
	/* each list ends with NULL; a NULL list is empty */
};

/* 0, or -errno with file and line in why. */
int places_load(struct places **out, const struct places_options *options, struct error *why);
void places_free(struct places *places);

/*
 * Fill *out for an address at a moment (which dates the legal groups). Strings
 * live as long as places. Always answers: at least a scope.
 */
void place_resolve(const struct places *places, const struct ip *ip, int64_t wall_ms,
		   struct event_place *out);

/*
 * The same, remembered: a destination that recurs costs a comparison and, since law
 * is dated, a look at the law of that moment. For one user at a time; places must
 * outlive it.
 */
struct place_recall;

int place_recall_new(struct place_recall **out, const struct places *places);
void place_recall_free(struct place_recall *recall);
void place_recall_resolve(struct place_recall *recall, const struct ip *ip, int64_t wall_ms,
			  struct event_place *out);

/* False when no source can say where a public address is: the agent then only observes. */
bool places_has_location(const struct places *places);

/* Own networks, for the kernel's prefix set. Valid while places lives. */
const struct prefix *places_own(const struct places *places, size_t *count);

/* One line per source: path, what it is, entries, date, SHA-256. For `demarc check` and evidence.
 */
struct place_source {
	const char *path;
	const char *what;
	uint64_t entries;
	int64_t date_ms; /* of the data, 0 when it does not say */
	char digest[65];
};
const struct place_source *places_sources(const struct places *places, size_t *count);

/*
 * The date and members of a legal group. NULL when there is no such group at that time.
 * "eea" -> "AT", "BE", ..., NULL.
 */
const char *const *legal_members(const struct places *places, const char *group, int64_t wall_ms);

/*
 * Build an MMDB from operator files. Fact by fact, longer prefixes win over
 * shorter ones, and later inputs over earlier ones where prefixes are equal; but
 * what a CSV states is never replaced by an ASN table, nor that by a registry.
 *
 *   CSV ranges     first,last,CC[,operator_country] or prefix,CC[,operator_country]
 *   RIR delegated  registry|CC|ipv4|start|count|date|status: the holder's country is
 *                  the operator's, and the location where no CSV says better
 *   ASN table      first<TAB>last<TAB>asn<TAB>CC<TAB>name: the operator's country,
 *                  number and name; never a location
 *
 * What lies in 2002::/16 is left out, because IPv4 is mirrored there.
 */
enum place_format { PLACE_CSV_RANGES, PLACE_RIR_DELEGATED, PLACE_ASN_TABLE };
struct place_input {
	const char *path;
	enum place_format format;
};
int places_import(const char *out_path, const struct place_input *inputs, size_t count,
		  int64_t build_epoch_s, struct error *why);

#endif /* PLACE_H */
