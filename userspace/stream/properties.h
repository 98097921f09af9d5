/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* properties.h - librdkafka's properties: ours first, then the file's, then those given. */
#ifndef STREAM_PROPERTIES_H
#define STREAM_PROPERTIES_H

#include <librdkafka/rdkafka.h>

#include "stream.h"

#define PROPERTIES_FILES 16

/* Files that the properties name: when one changes, the handle is made anew. */
struct property_files {
	char paths[PROPERTIES_FILES][512];
	size_t count;
};

/*
 * A configuration with all of them; files may be NULL. -EINVAL: librdkafka refuses
 * one, and why has its words. The secrets are in no message.
 */
int properties_apply(rd_kafka_conf_t **out, const struct stream_options *options,
		     struct property_files *files, struct error *why);

#endif /* STREAM_PROPERTIES_H */
