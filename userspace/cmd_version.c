/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_version - versions of demarc and of what it stands on. */
#include <bpf/libbpf.h>
#include <cjson/cJSON.h>
#include <librdkafka/rdkafka.h>
#include <maxminddb.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <zlib.h>

#include "commands.h"
#include "options.h"

int
cmd_version(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	static const struct usage usage = {"version", "usage: demarc version [--json]\n", ":h",
					   options};
	struct error why = {0};
	bool json = false;
	int letter;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (letter != 'j')
			return usage_end(&usage, letter, &why);
		json = true;
	}
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	printf(json ? "{\"version\":\"%s\",\"revision\":\"%s\",\"libbpf\":\"%d.%d\",\"cjson\":"
		      "\"%s\",\"libmaxminddb\":\"%s\",\"librdkafka\":\"%s\",\"zlib\":\"%s\","
		      "\"openssl\":\"%s\"}\n"
		    : "demarc %s (%s)\nlibbpf %d.%d\ncJSON %s\nlibmaxminddb %s\nlibrdkafka %s\n"
		      "zlib %s\n%s\n",
	       DEMARC_VERSION, DEMARC_REVISION, libbpf_major_version(), libbpf_minor_version(),
	       cJSON_Version(), MMDB_lib_version(), rd_kafka_version_str(), zlibVersion(),
	       OpenSSL_version(OPENSSL_VERSION));
	return EXIT_OK;
}
