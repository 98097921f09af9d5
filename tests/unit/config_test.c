/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* config_test.c - which source wins, and what is refused where. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A directory with demarc.json and conf.d; every test writes what it needs. */
struct place {
	char directory[32];
	char path[64];
};

static const char *const fragments[] = {"demarc.json", "conf.d/10-a.json", "conf.d/20-b.json",
					"conf.d/.hidden.json", "conf.d/30-c.json.off"};

static void
write_file(const struct place *place, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", place->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
place_fini(struct place *place)
{
	char path[128];

	for (size_t i = 0; i < COUNT(fragments); i++) {
		snprintf(path, sizeof(path), "%s/%s", place->directory, fragments[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/conf.d", place->directory);
	rmdir(path);
	rmdir(place->directory);
}

static void
place_init(struct place *place)
{
	char path[128];

	strcpy(place->directory, "/tmp/demarc-config-XXXXXX");
	assert_non_null(mkdtemp(place->directory));
	snprintf(place->path, sizeof(place->path), "%s/demarc.json", place->directory);
	snprintf(path, sizeof(path), "%s/conf.d", place->directory);
	assert_int_equal(mkdir(path, 0700), 0);
}

static struct setting_row
find_row(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config_count(); i++)
		if (strcmp(config_row(config, i).name, name) == 0)
			return config_row(config, i);
	fail_msg("no row %s", name);
	return (struct setting_row){0};
}

static void
defaults_hold(void **state)
{
	struct place place cleanup(place_fini) = {0};
	struct config config cleanup(config_fini) = {0};
	struct config_sources sources = {0};
	struct error why;

	(void)state;
	place_init(&place);
	write_file(&place, "demarc.json", "{}");
	sources.path = place.path;
	assert_int_equal(config_load(&config, &sources, &why), 0);
	assert_string_equal(config.instance, "default");
	assert_string_equal(config.node, "");
	assert_int_equal(config.flows_table_entries, 65536);
	assert_false(config.flows_loopback);
	assert_null(config.rules[0]);
	assert_string_equal(config.nic_interfaces[0], "auto");
	assert_null(config.nic_interfaces[1]);
	assert_string_equal(why.text, "");
	for (size_t i = 0; i < config_count(); i++) {
		struct setting_row row = config_row(&config, i);

		assert_string_equal(row.origin, "default");
		assert_non_null(row.value);
		assert_true(strlen(row.meaning) > 4);
	}
}

static const char *const environment[] = {
	"PATH=/bin",
	"DEMARC_JOURNAL_SYNC_MS=10",
	"DEMARC_LOG_LEVEL=warn",
	"DEMARC_PLACE_OWN= 10.0.0.0/8 , 2001:db8::/32",
	"DEMARC_PRIVACY_ADMINISTRATORS=",
	"DEMARC_SERVICE_HOST=10.0.0.1", /* what Kubernetes says of a Service "demarc" */
	"DEMARC_SERVICE_PORT_HTTP=80",
	"DEMARC_PORT=tcp://10.0.0.1:80",
	"DEMARC_PORT_80_TCP_ADDR=10.0.0.1",
	"DEMARC_METRICS_PORT_9100_TCP_PROTO=tcp",
	NULL,
};

static const char *const sets[] = {"log.level=debug", "flows.loopback=true", "cluster=a=b", NULL};

static void
later_sources_win(void **state)
{
	struct place place cleanup(place_fini) = {0};
	struct config config cleanup(config_fini) = {0};
	struct config_sources sources = {.environment = environment, .sets = sets};
	char origin[128];

	(void)state;
	place_init(&place);
	write_file(
		&place, "demarc.json",
		"// site\n{\"node\": \"n1\",\n \"flows\": {\"table_entries\": 1, \"idle_s\": 5},\n"
		" \"rules\": [\"a,b\", \"c\"], \"journal\": {\"exec\": true, \"sync_ms\": 5}}");
	write_file(&place, "conf.d/20-b.json", "{\"flows\": {\n\"table_entries\": 3}}");
	write_file(&place, "conf.d/10-a.json",
		   "{\"flows\": {\"table_entries\": 2, \"interval_s\": 7}, \"rules\": [\"d\"]}");
	write_file(&place, "conf.d/.hidden.json", "broken");
	write_file(&place, "conf.d/30-c.json.off", "broken");
	sources.path = place.path;
	assert_int_equal(config_load(&config, &sources, NULL), 0);

	assert_string_equal(config.node, "n1");
	assert_int_equal(config.flows_table_entries, 3);
	assert_int_equal(config.flows_idle_s, 5);
	assert_int_equal(config.flows_interval_s, 7);
	assert_string_equal(config.rules[0], "d");
	assert_null(config.rules[1]);
	assert_true(config.journal_exec);
	assert_int_equal(config.journal_sync_ms, 10);
	assert_string_equal(config.log_level, "debug");
	assert_true(config.flows_loopback);
	assert_string_equal(config.cluster, "a=b");
	assert_string_equal(config.place_own[0], "10.0.0.0/8");
	assert_string_equal(config.place_own[1], "2001:db8::/32");
	assert_null(config.place_own[2]);
	assert_null(config.privacy_administrators[0]);

	assert_string_equal(find_row(&config, "log.level").origin, "--set");
	assert_string_equal(find_row(&config, "journal.sync_ms").origin, "environment");
	assert_string_equal(find_row(&config, "place.own").value, "10.0.0.0/8,2001:db8::/32");
	snprintf(origin, sizeof(origin), "%s/conf.d/20-b.json:2", place.directory);
	assert_string_equal(find_row(&config, "flows.table_entries").origin, origin);
	snprintf(origin, sizeof(origin), "%s:3", place.path);
	assert_string_equal(find_row(&config, "flows.idle_s").origin, origin);
	assert_string_equal(find_row(&config, "flows.idle_s").value, "5");
}

static const struct {
	const char *text;
	const char *error; /* after the path */
} bad_files[] = {
	{"[]", ":1:1: the configuration must be an object"},
	{"{\"nod\": 1}", ":1:2: no setting 'nod'; did you mean 'node'?"},
	{"{\n  \"flosw\": {}}", ":2:3: no setting 'flosw'; did you mean 'flows'?"},
	{"{\"flows\": {\"table_entires\": 1}}",
	 ":1:12: no setting 'flows.table_entires'; did you mean 'flows.table_entries'?"},
	{"{\"table_entries\": 1}",
	 ":1:2: no setting 'table_entries'; did you mean 'flows.table_entries'?"},
	{"{\"zzzzzzzz\": 1}", ":1:2: no setting 'zzzzzzzz'"},
	{"{\"Node\": \"a\"}", ":1:2: no setting 'Node'; did you mean 'node'?"},
	{"{\"flows.idle_s\": 1}",
	 ":1:2: nest 'flows.idle_s' at its dot: {\"flows\": {\"idle_s\": ...}}"},
	{"{\"flows\": 1}", ":1:2: flows must be an object"},
	{"{\"node\": 1}", ":1:2: node must be a string"},
	{"{\"node\": null}", ":1:2: node must be a string"},
	{"{\"node\": {\"x\": 1}}", ":1:2: node must be a string"},
	{"{\"flows\": {\"idle_s\": \"1\"}}", ":1:12: flows.idle_s must be a whole number"},
	{"{\"flows\": {\"idle_s\": 1.5}}", ":1:12: flows.idle_s must be a whole number"},
	{"{\"flows\": {\"idle_s\": 1e300}}", ":1:12: flows.idle_s must be a whole number"},
	{"{\"flows\": {\"idle_s\": -1}}",
	 ":1:12: flows.idle_s must be a whole number from 1 to 86400, not '-1'"},
	{"{\"flows\": {\"loopback\": 1}}", ":1:12: flows.loopback must be true or false"},
	{"{\"rules\": \"a\"}", ":1:2: rules must be a list of strings"},
	{"{\"rules\": [1]}", ":1:2: rules must be a list of strings"},
	{"{\"rules\": [\"a\", \"\"]}", ":1:17: rules must hold no empty text"},
	{"{\"place\": {\"own\": [\"10.0.0.0/8\",\n \"10.0.0.1/8\"]}}",
	 ":2:2: place.own: '10.0.0.1/8' is not a prefix such as 10.0.0.0/8 (or has bits set after "
	 "its length)"},
	{"{\"log\": {\"level\": \"wran\"}}",
	 ":1:10: log.level must be error, warn, info or debug, not 'wran'; did you mean 'warn'?"},
	{"{\"node\": \"a\", \"node\": \"b\"}", ":1:15: 'node' is given twice"},
	{"{\"node\": \"a\",}", ":1:13: no comma may follow the last element"},
};

static void
bad_files_are_refused(void **state)
{
	struct place place cleanup(place_fini) = {0};
	struct config_sources sources = {0};

	(void)state;
	place_init(&place);
	sources.path = place.path;
	for (size_t i = 0; i < COUNT(bad_files); i++) {
		struct config config = {0};
		struct error why = {0};
		char got[600], wanted[600];

		write_file(&place, "demarc.json", bad_files[i].text);
		assert_int_equal(config_load(&config, &sources, &why), -EINVAL);
		snprintf(wanted, sizeof(wanted), "%s%s", place.path, bad_files[i].error);
		assert_string_equal(error_format(&why, got, sizeof(got)), wanted);
		assert_null(config.owned);
	}
	write_file(&place, "demarc.json", "{}");
	write_file(&place, "conf.d/10-a.json", "{\n\"x\"}");
	{
		struct config config = {0};
		struct error why = {0};

		assert_int_equal(config_load(&config, &sources, &why), -EINVAL);
		assert_non_null(strstr(why.file, "conf.d/10-a.json"));
		assert_int_equal(why.line, 2);
	}
}

static const struct {
	const char *variable; /* of the environment; NULL: try set */
	const char *set;
	const char *error; /* NULL: taken */
} texts[] = {
	{"DEMARC_FLOWS_IDLE=1", NULL,
	 "environment: no setting 'DEMARC_FLOWS_IDLE'; did you mean 'DEMARC_FLOWS_IDLE_S'?"},
	{"DEMARC_ZZZZZZZZ=1", NULL, "environment: no setting 'DEMARC_ZZZZZZZZ'"},
	{"DEMARC_=1", NULL, "environment: no setting 'DEMARC_'"},
	{"DEMARC_FLOWS_LOOPBACK=yes", NULL,
	 "environment: flows.loopback must be false or true, not 'yes'"},
	{"DEMARC_FLOWS_LOOPBACK=ture", NULL,
	 "environment: flows.loopback must be false or true, not 'ture'; did you mean 'true'?"},
	{NULL, "log.level", "--set: 'log.level' must be name=value"},
	{NULL, "node=a/b", "--set: node must have no slash or control character in it: 'a/b'"},
	{NULL, "cluster=\033[31m",
	 "--set: cluster must have no slash or control character in it: '?[31m'"},
	{NULL, "log.levle=info", "--set: no setting 'log.levle'; did you mean 'log.level'?"},
	{NULL, "rules=a,,b", "--set: rules must hold no empty text"},
	{NULL, "rules=a,b", NULL},
	{NULL, "flows.table_entries=0",
	 "--set: flows.table_entries must be a whole number from 1 to 16777216, not '0'"},
	{NULL, "flows.table_entries=16777216", NULL},
	{NULL, "flows.table_entries=16777217",
	 "--set: flows.table_entries must be a whole number from 1 to 16777216, not '16777217'"},
	{NULL, "flows.table_entries=99999999999999999999999",
	 "--set: flows.table_entries must be a whole number from 1 to 16777216, not "
	 "'99999999999999999999999'"},
	{NULL, "flows.table_entries=",
	 "--set: flows.table_entries must be a whole number from 1 to 16777216, not ''"},
	{NULL, "flows.table_entries= 1",
	 "--set: flows.table_entries must be a whole number from 1 to 16777216, not ' 1'"},
	{NULL, "ring.bulk_bytes=4096", NULL},
	{NULL, "ring.bulk_bytes=2048",
	 "--set: ring.bulk_bytes must be a power of two from 4096 to 1073741824, not '2048'"},
	{NULL, "ring.critical_bytes=5000",
	 "--set: ring.critical_bytes must be a power of two from 4096 to 1073741824, not '5000'"},
	{NULL, "flows.interval_s=0",
	 "--set: flows.interval_s must be a whole number from 1 to 86400, not '0'"},
	{NULL, "journal.fold_s=0",
	 "--set: journal.fold_s must be a whole number from 1 to 86400, not '0'"},
	{NULL, "journal.staging_mib=0",
	 "--set: journal.staging_mib must be a whole number from 1 to 65536, not '0'"},
	{NULL, "journal.sync_ms=60001",
	 "--set: journal.sync_ms must be a whole number from 1 to 60000, not '60001'"},
	{NULL, "journal.quota_mib=0", NULL},
	{NULL, "journal.quota_mib=-1",
	 "--set: journal.quota_mib must be a whole number from 0 to 1073741824, not '-1'"},
	{NULL, "privacy.user=drop", NULL},
	{NULL, "privacy.user=none",
	 "--set: privacy.user must be full, pseudonym or drop, not 'none'"},
	{NULL, "privacy.argv=ful",
	 "--set: privacy.argv must be full, pseudonym or drop, not 'ful'; did you mean 'full'?"},
	{NULL, "privacy.origin=", "--set: privacy.origin must be full, pseudonym or drop, not ''"},
	{NULL, "privacy.peer=x", "--set: privacy.peer must be full, pseudonym or drop, not 'x'"},
	{NULL, "journal.flows=all", "--set: journal.flows must be folded or each, not 'all'"},
	{NULL, "log.format=xml", "--set: log.format must be logfmt or json, not 'xml'"},
	{NULL, "state_directory=", "--set: state_directory must not be empty"},
	{NULL, "runtime_directory=", "--set: runtime_directory must not be empty"},
	{NULL, "pins=", NULL},
	{NULL, "pins=/run/bpf/demarc", NULL},
	{NULL, "pins=bpf",
	 "--set: pins must be empty, or an absolute path shorter than 256 bytes: 'bpf'"},
	{NULL, "instance=../x",
	 "--set: instance must be 1 to 63 letters, digits, '-', '_' or '.', and not begin with "
	 "'.'"},
	{NULL, "instance=a/b",
	 "--set: instance must be 1 to 63 letters, digits, '-', '_' or '.', and not begin with "
	 "'.'"},
	{NULL, "place.own=10.0.0.0/8, fd00::/8", NULL},
};

static void
texts_are_checked(void **state)
{
	struct place place cleanup(place_fini) = {0};

	(void)state;
	place_init(&place);
	write_file(&place, "demarc.json", "{}");
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *const one[] = {texts[i].variable ? texts[i].variable : texts[i].set,
					   NULL};
		struct config_sources sources = {.path = place.path};
		struct config config cleanup(config_fini) = {0};
		struct error why = {0};
		char got[600];

		if (texts[i].variable)
			sources.environment = one;
		else
			sources.sets = one;
		assert_int_equal(config_load(&config, &sources, &why),
				 texts[i].error ? -EINVAL : 0);
		if (texts[i].error)
			assert_string_equal(error_format(&why, got, sizeof(got)), texts[i].error);
	}
}

static void
a_given_file_must_exist(void **state)
{
	struct config_sources sources = {.path = "/nonexistent/demarc.json"};
	struct config config = {0};
	struct error why = {0};

	(void)state;
	assert_int_equal(config_load(&config, &sources, &why), -ENOENT);
	assert_string_equal(why.file, "/nonexistent/demarc.json");
	config_fini(&config);
	config_fini(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold),           cmocka_unit_test(later_sources_win),
		cmocka_unit_test(bad_files_are_refused),   cmocka_unit_test(texts_are_checked),
		cmocka_unit_test(a_given_file_must_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
