/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* cmd_status - ask the running agent how it is. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "commands.h"
#include "options.h"
#include "status.h"

static const char help[] =
	"usage: demarc status [--json] [OPTIONS]\n\n"
	"Asks the running agent over its socket. Exit code 1 when none answers.\n\n"
	"      --json              all of it, for programs\n" CONFIG_HELP;

#define PATIENCE_S 5 /* an agent that is stopped takes the question and never answers */

static int
ask(const struct config *config, struct buf *answer, struct error *why)
{
	struct sockaddr_un address;
	int fd cleanup(fd_drop) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = {.tv_sec = PATIENCE_S};
	char bytes[4096];
	int result = status_address(config, &address, why);
	ssize_t got;

	if (result < 0)
		return result;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return error_set(why, -errno, "no agent answers at %s: %s", address.sun_path,
				 strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(answer, bytes, (size_t)got);
	if (got < 0 && errno == EAGAIN)
		return error_set(why, -ETIMEDOUT,
				 "the agent at %s does not answer within %d s: it is "
				 "stopped, or stands still",
				 address.sun_path, PATIENCE_S);
	return got < 0 ? error_set(why, -errno, "%s: %s", address.sun_path, strerror(errno)) : 0;
}

static double
number(const cJSON *object, const char *group, const char *name)
{
	const cJSON *inner = cJSON_GetObjectItemCaseSensitive(object, group);

	return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(inner, name));
}

static const char *
string(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "?";
}

static void
print_counters(const cJSON *root)
{
	const cJSON *one;

	printf("%-10s %12s %12s %12s %12s %12s %9s\n", "records", "seen", "filtered", "folded",
	       "issued", "submitted", "dropped");
	cJSON_ArrayForEach(one, cJSON_GetObjectItemCaseSensitive(root, "counters"))
	{
		static const char *const columns[] = {"seen",   "filtered",  "folded",
						      "issued", "submitted", "dropped"};

		printf("%-10s", one->string);
		for (size_t i = 0; i < 6; i++)
			printf(i == 5 ? " %9.0f" : " %12.0f",
			       cJSON_GetNumberValue(
				       cJSON_GetObjectItemCaseSensitive(one, columns[i])));
		printf("\n");
	}
}

static void
print_unseen(const cJSON *root)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(root, "coverage"))
	{
		if (strcmp(string(row, "state"), "attached") != 0)
			printf("%-10s %s (%s)\n", string(row, "state"), string(row, "subject"),
			       string(row, "why"));
	}
}

static void
print_carry(const cJSON *root)
{
	const cJSON *kernel = cJSON_GetObjectItemCaseSensitive(root, "kernel");
	const cJSON *pinned = cJSON_GetObjectItemCaseSensitive(kernel, "pinned");
	const cJSON *adopted = cJSON_GetObjectItemCaseSensitive(kernel, "adopted");

	printf("kernel     %s%s\n",
	       cJSON_IsTrue(pinned) ? "goes on counting without the agent"
				    : "stops counting with the agent",
	       cJSON_IsTrue(adopted) ? "; was counting when it came" : "");
	printf("carry      %.0f bytes, %.0f turns, %.0f errors\n", number(root, "carry", "bytes"),
	       number(root, "carry", "turns"), number(root, "carry", "errors"));
	if (number(root, "carry", "failing") > 0)
		printf("           cannot keep what is owed: %s\n",
		       strerror((int)number(root, "carry", "failing")));
}

static void
print_stream(const cJSON *root)
{
	const cJSON *kafka = cJSON_GetObjectItemCaseSensitive(root, "kafka"), *topic;
	const char *error = kafka ? string(kafka, "error") : "";

	if (!kafka)
		return;
	printf("kafka      %.0f brokers up, %.0f dead letters, %.0f handles made anew%s%s\n",
	       number(root, "kafka", "brokers_up"), number(root, "kafka", "dead_letters"),
	       number(root, "kafka", "recreated"), *error ? "; " : "", error);
	printf("           %-32s %10s %10s %10s %8s\n", "topic", "sent", "acked", "lag", "lag ms");
	cJSON_ArrayForEach(topic, cJSON_GetObjectItemCaseSensitive(kafka, "topics"))
	{
		printf("           %-32s", string(topic, "topic"));
		for (size_t i = 0; i < 4; i++) {
			static const char *const columns[] = {"sent", "acked", "lag", "lag_ms"};

			printf(i == 3 ? " %8.0f" : " %10.0f",
			       cJSON_GetNumberValue(
				       cJSON_GetObjectItemCaseSensitive(topic, columns[i])));
		}
		printf(" %s\n", string(topic, "error"));
	}
}

static int
print_people(const char *text)
{
	cJSON *root = cJSON_Parse(text);
	const cJSON *policy = cJSON_GetObjectItemCaseSensitive(root, "policy");

	if (!root)
		return EXIT_FAILED;
	printf("demarc %s on %s, mode %s, up %.0f s\n", string(root, "version"),
	       string(root, "node"), string(root, "mode"),
	       cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(root, "uptime_s")));
	printf("rules      %s %s (%.16s)\n", string(policy, "id"), string(policy, "version"),
	       string(policy, "digest"));
	printf("pipeline   %.0f records, %.0f entries, %.0f alerts, %.0f shed, longest turn %.1f "
	       "ms\n",
	       number(root, "pipeline", "records"), number(root, "pipeline", "entries"),
	       number(root, "pipeline", "alerts"), number(root, "pipeline", "shed"),
	       number(root, "loop", "longest_turn_ms"));
	printf("journal    %s: %.0f admitted, %.0f on disk\n",
	       string(cJSON_GetObjectItemCaseSensitive(root, "journal"), "shard"),
	       number(root, "journal", "admitted"), number(root, "journal", "acknowledged"));
	if (number(root, "journal", "failing") > 0)
		printf("           cannot store entries: %s\n",
		       strerror((int)number(root, "journal", "failing")));
	print_carry(root);
	printf("\n");
	print_stream(root);
	print_counters(root);
	print_unseen(root);
	cJSON_Delete(root);
	return EXIT_OK;
}

int
cmd_status(int argc, char **argv)
{
	static const struct option names[] = {
		CONFIG_OPTIONS, {"json", no_argument, NULL, 'j'}, {0}};
	static const struct usage usage = {"status", help, CONFIG_LETTERS, names};
	struct config_options options = {0};
	struct config config = {0};
	struct buf answer cleanup(buf_fini) = {0};
	struct error why = {0};
	bool json = false;
	int letter, result;

	while ((letter = usage_next(&usage, argc, argv, &why)) >= 0) {
		if (config_option(&options, letter, optarg))
			continue;
		if (letter != 'j')
			return usage_end(&usage, letter, &why);
		json = true;
	}
	if (optind != argc)
		return usage_refuse(&usage, "'%s' is one argument too many", argv[optind]);
	result = config_open(&config, &options);
	if (result)
		return result;
	result = ask(&config, &answer, &why);
	if (result < 0)
		result = complain(result == -EINVAL ? EXIT_CONFIG : EXIT_FAILED, &why);
	else if (json)
		puts(buf_text(&answer));
	else
		result = print_people(buf_text(&answer));
	config_fini(&config);
	return result;
}
