/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config_kafka_test.c - librdkafka's properties from every source, and their secrets unseen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

static void
load(struct config *config, const char *json, const char *const *environment,
     const char *const *properties, int expected)
{
	char folder[] = "/tmp/demarc-config-XXXXXX", path[64];
	struct config_sources sources = {
		.path = path, .environment = environment, .properties = properties};
	struct error why = {0};
	FILE *file;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/demarc.json", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(json, file);
	fclose(file);
	assert_int_equal(config_load(config, &sources, &why), expected);
	assert_null(strstr(why.text, "hush"));
	unlink(path);
	rmdir(folder);
}

static const char *
shown(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config_count(); i++)
		if (strcmp(config_row(config, i).name, name) == 0)
			return config_row(config, i).value;
	return NULL;
}

static void
properties_come_from_everywhere_in_order(void **state)
{
	static const char *const environment[] = {"DEMARC_KAFKA_SASL_PASSWORD=hush,2=3",
						  "DEMARC_KAFKA_SERVICE_HOST=10.0.0.1",
						  "DEMARC_KAFKA_PORT=tcp://10.0.0.1:9092", NULL};
	static const char *const properties[] = {"ssl.key.password=hush", NULL};
	static const char *const expected[] = {"linger.ms=5", "socket.keepalive.enable=true",
					       "security.protocol=ssl", "sasl.password=hush,2=3",
					       "ssl.key.password=hush"};
	struct config config = {0};

	(void)state;
	load(&config,
	     "{\"kafka\":{\"properties\":{\"linger.ms\":5,\"socket.keepalive.enable\":true,"
	     "\"security.protocol\":\"ssl\"}}}",
	     environment, properties, 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(config.kafka_properties[i], expected[i]);
	assert_null(config.kafka_properties[5]);
	assert_null(strstr(shown(&config, "kafka.properties"), "hush"));
	assert_non_null(strstr(shown(&config, "kafka.properties"), "sasl.password=********,"));
	config_fini(&config);
}

static void
commas_part_pairs_and_not_their_values(void **state)
{
	static const char *const environment[] = {
		"DEMARC_KAFKA_PROPERTIES=bootstrap.servers=a:1,b:2, linger.ms=3", NULL};
	struct config config = {0};

	(void)state;
	load(&config, "{\"kafka\":{\"properties\":[\"acks=1\"]}}", environment, NULL, 0);
	assert_string_equal(config.kafka_properties[0], "bootstrap.servers=a:1,b:2");
	assert_string_equal(config.kafka_properties[1], "linger.ms=3");
	assert_null(config.kafka_properties[2]);
	config_fini(&config);
}

static void
what_is_no_property_is_refused(void **state)
{
	static const char *const bare[] = {"hush", NULL};
	static const char *const nameless[] = {"=hush", NULL};
	struct config config = {0};

	(void)state;
	load(&config, "{}", NULL, bare, -EINVAL);
	load(&config, "{}", NULL, nameless, -EINVAL);
	load(&config, "{\"kafka\":{\"properties\":{\"a\":[1]}}}", NULL, NULL, -EINVAL);
	load(&config, "{\"kafka\":{\"properties\":\"a=b\"}}", NULL, NULL, -EINVAL);
	load(&config, "{\"kafka\":{\"properties\":[\"hush\"]}}", NULL, NULL, -EINVAL);
	load(&config, "{\"kafka\":{\"topic_prefix\":\"a_b\"}}", NULL, NULL, -EINVAL);
	load(&config, "{\"kafka\":{\"topic_prefix\":\"\"}}", NULL, NULL, -EINVAL);
	load(&config, "{\"kafka\":{\"health_s\":0}}", NULL, NULL, -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_come_from_everywhere_in_order),
		cmocka_unit_test(commas_part_pairs_and_not_their_values),
		cmocka_unit_test(what_is_no_property_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
