/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* status - the running agent answers `demarc status` over a unix socket. */
#include <errno.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "status.h"

struct status {
	struct loop *loop;
	struct status_subject subject;
	int fd;
	char path[108];
	bool is_silent; /* nobody can ask, and that was said */
};

int
status_address(const struct config *config, struct sockaddr_un *out, struct error *why)
{
	const size_t room = sizeof(out->sun_path);

	*out = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (snprintf(out->sun_path, room, "%s/%s.sock", config->runtime_directory,
		     config->instance) < (int)room)
		return 0;
	return error_set(why, -EINVAL,
			 "runtime_directory and instance are too long together: %s/%s.sock must "
			 "be shorter than %zu bytes",
			 config->runtime_directory, config->instance, room);
}

/* A socket that a killed agent left is no obstacle; one that somebody listens at is. */
static bool
is_answered(const struct sockaddr_un *address)
{
	int fd cleanup(fd_drop) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
			   errno == EAGAIN);
}

static void
number(cJSON *object, const char *name, uint64_t value)
{
	cJSON_AddNumberToObject(object, name, (double)value);
}

static void
add_counters(cJSON *root, const struct probes *probes)
{
	cJSON *all = cJSON_AddObjectToObject(root, "counters");

	for (unsigned int kind = WIRE_FLOW; kind <= WIRE_EXIT; kind++) {
		cJSON *one = cJSON_AddObjectToObject(all, event_type_by_kind(kind)->name);
		struct wire_counters c;

		probes_counters(probes, kind, &c);
		number(one, "seen", c.seen);
		number(one, "filtered", c.filtered);
		number(one, "folded", c.folded);
		number(one, "issued", c.issued);
		number(one, "submitted", c.submitted);
		number(one, "dropped", c.dropped);
	}
}

static void
add_totals(cJSON *root, const struct probes *probes)
{
	static const char *const names[WIRE_TOTALS] = {
		[WIRE_TOTAL_GATE] = "gate",
		[WIRE_TOTAL_LISTENER] = "listener",
		[WIRE_TOTAL_CONTROL] = "control",
		[WIRE_TOTAL_LATE] = "late",
		[WIRE_TOTAL_UNPARSED] = "unparsed",
		[WIRE_TOTAL_TABLE_FULL_OWN] = "table_full_own",
		[WIRE_TOTAL_TABLE_FULL_FOREIGN] = "table_full_foreign",
		[WIRE_TOTAL_CLOSE_LOST] = "close_lost",
		[WIRE_TOTAL_NIC] = "nic",
		[WIRE_TOTAL_NIC_COUNTED] = "nic_counted",
		[WIRE_TOTAL_NIC_FORWARDED] = "nic_forwarded",
		[WIRE_TOTAL_NIC_STRAY] = "nic_unattributed",
		[WIRE_TOTAL_NIC_CONTROL] = "nic_control",
		[WIRE_TOTAL_NIC_OTHER] = "nic_other",
	};
	cJSON *all = cJSON_AddObjectToObject(root, "totals");

	for (int total = 0; total < WIRE_TOTALS; total++) {
		cJSON *one = cJSON_AddObjectToObject(all, names[total]);
		struct wire_sum sum;

		probes_total(probes, (enum wire_total)total, &sum);
		number(one, "flows", sum.flows);
		number(one, "packets", sum.packets);
		number(one, "bytes", sum.bytes);
		number(one, "wire_bytes", sum.wire_bytes);
	}
}

static void
add_coverage(cJSON *root, const struct probes *probes)
{
	static const char *const states[] = {"attached", "refused", "off"};
	cJSON *all = cJSON_AddArrayToObject(root, "coverage");
	size_t count;
	const struct coverage *rows = probes_coverage(probes, &count);

	for (size_t i = 0; i < count; i++) {
		cJSON *one = cJSON_CreateObject();

		cJSON_AddItemToArray(all, one);
		cJSON_AddStringToObject(one, "subject", rows[i].subject);
		cJSON_AddStringToObject(one, "hook", rows[i].hook);
		cJSON_AddStringToObject(one, "state", states[rows[i].state]);
		if (rows[i].state == COVERAGE_ATTACHED)
			continue;
		cJSON_AddStringToObject(one, "why", rows[i].why);
		cJSON_AddStringToObject(one, "unseen", rows[i].unseen);
	}
}

static void
add_journal(cJSON *root, const struct journal_state *state)
{
	cJSON *journal = cJSON_AddObjectToObject(root, "journal");

	cJSON_AddStringToObject(journal, "shard", state->shard ? state->shard : "");
	number(journal, "admitted", state->admitted);
	number(journal, "acknowledged", state->acknowledged);
	number(journal, "waiting", state->waiting);
	number(journal, "next_sequence", state->next_sequence);
	number(journal, "refused_bulk", state->refused_bulk);
	number(journal, "refused_critical", state->refused_critical);
	number(journal, "staged_bytes", state->staged_bytes);
	number(journal, "written_bytes", state->written_bytes);
	number(journal, "restored", state->restored);
	number(journal, "unrestored", state->unrestored);
	number(journal, "gone", state->gone);
	number(journal, "syncs", state->syncs);
	number(journal, "slowest_sync_us", state->slowest_sync_ns / 1000);
	number(journal, "sync_errors", state->sync_errors);
	number(journal, "quota_bulk", state->quota_bulk);
	number(journal, "quota_critical", state->quota_critical);
	number(journal, "expired_shards", state->expired_shards);
	number(journal, "disk_bytes", state->disk_bytes);
	number(journal, "compressed", state->compressed);
	number(journal, "failing", (uint64_t)state->failing);
}

static void
add_carry(cJSON *root, const struct carry_state *state)
{
	cJSON *carry = cJSON_AddObjectToObject(root, "carry");

	number(carry, "bytes", state->bytes);
	number(carry, "live_bytes", state->live_bytes);
	number(carry, "turns", state->turns);
	number(carry, "rewrites", state->rewrites);
	number(carry, "errors", state->errors);
	number(carry, "failing", (uint64_t)state->failing);
}

static void
add_kernel(cJSON *root, const struct probes *probes)
{
	cJSON *kernel = cJSON_AddObjectToObject(root, "kernel");

	cJSON_AddBoolToObject(kernel, "pinned", probes_pinned(probes));
	cJSON_AddBoolToObject(kernel, "adopted", probes_adopted(probes));
}

static void
add_pipeline(cJSON *root, const struct status_subject *subject)
{
	struct agent_state state;
	cJSON *pipeline = cJSON_AddObjectToObject(root, "pipeline");
	cJSON *verdicts = cJSON_AddObjectToObject(pipeline, "flow_verdicts");
	cJSON *policy = cJSON_AddObjectToObject(root, "policy");

	agent_state(subject->agent, &state);
	number(pipeline, "records", state.records);
	number(pipeline, "malformed", state.malformed);
	number(pipeline, "entries", state.entries);
	number(pipeline, "alerts", state.alerts);
	number(pipeline, "shed", state.shed);
	number(pipeline, "owed", state.owed);
	number(pipeline, "processes", state.processes);
	number(pipeline, "folds", state.folds);
	number(pipeline, "flows", probes_flows(subject->probes));
	for (int i = 0; i < 4; i++)
		number(verdicts, rule_verdict_name((enum rule_verdict)i), state.verdicts[i]);
	cJSON_AddStringToObject(policy, "id", state.policy);
	cJSON_AddStringToObject(policy, "version", state.policy_version);
	cJSON_AddStringToObject(policy, "digest", state.policy_digest);
	number(policy, "rules", state.rules);
	number(policy, "reloads", state.reloads);
	number(policy, "reload_errors", state.reload_errors);
	if (state.has_journal)
		add_journal(root, &state.journal);
	if (state.has_carry)
		add_carry(root, &state.carry);
}

static char *
describe(const struct status_subject *subject, struct streaming *streaming)
{
	cJSON *root = cJSON_CreateObject();
	cJSON *loop = cJSON_AddObjectToObject(root, "loop");
	char *text;

	cJSON_AddStringToObject(root, "version", DEMARC_VERSION);
	cJSON_AddStringToObject(root, "node", agent_node(subject->agent));
	cJSON_AddStringToObject(root, "mode", agent_observes(subject->agent) ? "observe" : "judge");
	number(root, "uptime_s", (clock_boot_ns() - subject->started_ns) / 1000000000u);
	cJSON_AddNumberToObject(loop, "longest_turn_ms", (double)*subject->longest_turn_ns / 1e6);
	number(loop, "turns", *subject->turns);
	add_pipeline(root, subject);
	add_kernel(root, subject->probes);
	add_counters(root, subject->probes);
	add_totals(root, subject->probes);
	add_coverage(root, subject->probes);
	streaming_add_state(streaming, root);
	text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return text;
}

char *
status_describe(void *arg)
{
	const struct status *status = arg;

	return describe(&status->subject, NULL);
}

/* The answer fits the socket's buffer; a client that does not read is cut off. */
static void
answer(void *arg)
{
	struct status *status = arg;
	int client cleanup(fd_drop) = accept4(status->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	char *text cleanup(free_drop) =
		client < 0 ? NULL : describe(&status->subject, status->subject.streaming);
	ssize_t sent;

	if (!text)
		return;
	sent = send(client, text, strlen(text), MSG_NOSIGNAL);
	(void)sent; /* the client sees a cut object */
}

static int
bind_path(struct status *status, const struct config *config, struct error *why)
{
	struct sockaddr_un address;
	int result = status_address(config, &address, why);

	if (result < 0)
		return result;
	if (mkdir(config->runtime_directory, 0700) < 0 && errno != EEXIST)
		return error_set(why, -errno, "runtime_directory %s: %s", config->runtime_directory,
				 strerror(errno));
	if (is_answered(&address))
		return error_set(
			why, -EADDRINUSE,
			"another agent answers at %s: give this one an instance of its own",
			address.sun_path);
	unlink(address.sun_path);
	status->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (status->fd < 0 || bind(status->fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(address.sun_path, 0600) < 0 || listen(status->fd, 8) < 0)
		return error_set(why, -errno, "%s: %s", address.sun_path, strerror(errno));
	snprintf(status->path, sizeof(status->path), "%s", address.sun_path);
	return 0;
}

int
status_open(struct status **out, struct loop *loop, const struct status_subject *subject,
	    struct error *why)
{
	struct status *status = calloc(1, sizeof(*status));
	int result;

	if (!status)
		return -ENOMEM;
	status->loop = loop;
	status->subject = *subject;
	status->fd = -1;
	result = bind_path(status, subject->config, why);
	if (!result)
		result = loop_watch(loop, status->fd, answer, status);
	if (result < 0) {
		status_close(status);
		return result;
	}
	*out = status;
	return 0;
}

static void
unbind(struct status *status)
{
	if (status->fd < 0)
		return;
	loop_unwatch(status->loop, status->fd);
	close(status->fd);
	status->fd = -1;
}

bool
status_tend(struct status *status)
{
	struct error why = {0};
	int result;

	if (access(status->path, F_OK) == 0 || errno != ENOENT)
		return false;
	unbind(status);
	result = bind_path(status, status->subject.config, &why);
	if (!result)
		result = loop_watch(status->loop, status->fd, answer, status);
	if (result < 0 && status->is_silent)
		return false;
	status->is_silent = result < 0;
	if (result < 0)
		log_error("status", "nobody can ask for it any more: %s", why.text);
	return !result;
}

void
status_close(struct status *status)
{
	if (!status)
		return;
	unbind(status);
	if (*status->path)
		unlink(status->path);
	free(status);
}
