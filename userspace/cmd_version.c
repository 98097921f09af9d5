/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_version - versions of demarc and of what it stands on. */
#include <bpf/libbpf.h>
#include <cjson/cJSON.h>
#include <maxminddb.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "options.h"

int
cmd_version(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");

	if (argc > 1 && !json) {
		bool asked = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");

		fprintf(asked ? stdout : stderr, "usage: demarc version [--json]\n");
		return asked ? EXIT_OK : EXIT_USAGE;
	}
	printf(json ? "{\"version\":\"%s\",\"revision\":\"%s\",\"libbpf\":\"%d.%d\",\"cjson\":\"%"
		      "s\","
		      "\"libmaxminddb\":\"%s\",\"openssl\":\"%s\"}\n"
		    : "demarc %s (%s)\nlibbpf %d.%d\ncJSON %s\nlibmaxminddb %s\n%s\n",
	       DEMARC_VERSION, DEMARC_REVISION, libbpf_major_version(), libbpf_minor_version(),
	       cJSON_Version(), MMDB_lib_version(), OpenSSL_version(OPENSSL_VERSION));
	return EXIT_OK;
}
