/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mmdb_write.h - write a tree of facts in the MaxMind DB format, version 2.
 *
 * Records have the names that other readers know: country.iso_code,
 * registered_country.iso_code, autonomous_system_number and
 * autonomous_system_organization.
 */
#ifndef PLACE_MMDB_WRITE_H
#define PLACE_MMDB_WRITE_H

#include <stdint.h>

#include "base/buf.h"
#include "place/facts.h"
#include "place/tree.h"

/*
 * Append the file to out. A value n of the tree is facts[n - 1]; IPv4 lies at
 * ::/96 and is mirrored at ::ffff:0:0/96 and 2002::/16, for which the tree is
 * changed. 0, -ENOMEM, or -EFBIG when not even 32 bits suffice.
 */
int mmdb_write(struct buf *out, struct tree *tree, const struct facts *facts, uint32_t count,
	       int64_t build_epoch_s);

#endif /* PLACE_MMDB_WRITE_H */
