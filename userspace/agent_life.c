/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* agent_life - the pipeline is built from the configuration, reloaded, asked and taken down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_private.h"
#include "base/log.h"
#include "keys.h"

int
agent_reload(struct agent *agent, void (*end_turn)(void *arg), void *arg, struct error *why)
{
	struct judge *fresh = NULL;
	int result = judge_new(&fresh, agent->config, why);

	if (result < 0) {
		agent->state.reload_errors++;
		return result;
	}
	while (agent_flush(agent, agent->now_ns)) /* folds were judged by the old rules */
		end_turn(arg);
	judge_free(agent->judge);
	agent->judge = fresh;
	agent->state.reloads++;
	return 0;
}

static int
open_privacy(struct agent *agent, struct error *why)
{
	struct privacy *privacy = &agent->privacy;

	privacy->mode[PRIVACY_USER] = privacy_mode_of(agent->config->privacy_user);
	privacy->mode[PRIVACY_PATH] = privacy->mode[PRIVACY_USER];
	privacy->mode[PRIVACY_ARGV] = privacy_mode_of(agent->config->privacy_argv);
	privacy->mode[PRIVACY_ORIGIN] = privacy_mode_of(agent->config->privacy_origin);
	privacy->mode[PRIVACY_PEER] = privacy_mode_of(agent->config->privacy_peer);
	privacy->administrators = agent->config->privacy_administrators;
	privacy->cache = &agent->pseudonyms;
	return key_load(privacy->key, agent->config, agent->options.replay, why);
}

static int
open_journal(struct agent *agent, struct error *why)
{
	const struct config *config = agent->config;
	char path[4096];
	struct journal_options options = {
		.directory = path,
		.cluster = *config->cluster ? config->cluster : NULL,
		.node = agent->node,
		.staging_bytes = config->journal_staging_mib << 20,
		.sync_ms = (unsigned int)config->journal_sync_ms,
		.quota_bytes = config->journal_quota_mib << 20,
		.reserve_bytes = config->journal_reserve_mib << 20,
		.age_days = config->journal_age_days,
		.compress = config->journal_compress,
		.carry = agent->carry,
	};

	if (agent->options.replay)
		return 0;
	snprintf(path, sizeof(path), "%s/journal", config->state_directory);
	return journal_open(&agent->journal, &options, why);
}

static void
name_node(struct agent *agent)
{
	const char *name = agent->options.node ? agent->options.node : agent->config->node;

	if (!*name)
		name = getenv("NODE_NAME");
	if (name && *name)
		snprintf(agent->node, sizeof(agent->node), "%s", name);
	else if (gethostname(agent->node, sizeof(agent->node) - 1) < 0)
		snprintf(agent->node, sizeof(agent->node), "localhost");
}

/* A /proc of another pid namespace would name the wrong processes: better none than that. */
static int
open_context(struct agent *agent, struct error *why)
{
	const struct config *config = agent->config;
	struct context_options options = {
		.proc = agent->options.replay ? NULL : config->proc,
		.passwd = agent->options.replay || !*config->passwd ? NULL : config->passwd,
	};
	int result = context_new(&agent->context, &options, why);

	if (result != -EXDEV)
		return result;
	log_warn("context", "%s; processes are known by their events only", why->text);
	*why = (struct error){0};
	options.proc = NULL;
	return context_new(&agent->context, &options, why);
}

static int
build(struct agent *agent, struct error *why)
{
	const struct config *config = agent->config;
	struct folds_options folds = {
		.interval_ns = config->journal_fold_s * 1000000000ull,
		.room = 16384,
		.part = 1024,
		.first_id = agent_next_fold(agent),
	};
	int result;

	name_node(agent);
	agent->fold = !strcmp(config->journal_flows, "folded");
	result = judge_new(&agent->judge, config, why);
	if (!result)
		result = open_privacy(agent, why);
	if (!result)
		result = open_context(agent, why);
	if (!result)
		result = folds_new(&agent->folds, &folds);
	if (!result)
		result = open_journal(agent, why);
	if (!result)
		agent_take_over(agent);
	return result;
}

int
agent_open(struct agent **out, const struct agent_options *options, struct error *why)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	int result;

	if (!agent)
		return -ENOMEM;
	agent->options = *options;
	agent->config = options->config;
	agent->carry = options->carry;
	snprintf(agent->boot_id, sizeof(agent->boot_id), "%s",
		 options->boot_id ? options->boot_id : "");
	result = build(agent, why);
	if (result < 0) {
		agent_close(agent);
		return result;
	}
	*out = agent;
	return 0;
}

void
agent_close(struct agent *agent)
{
	if (!agent)
		return;
	agent_drain(agent);
	for (size_t i = 0; i < agent->sink_count; i++)
		agent->sinks[i]->ops->close(agent->sinks[i]);
	folds_free(agent->folds);
	context_free(agent->context);
	judge_free(agent->judge);
	buf_fini(&agent->text);
	buf_fini(&agent->owed);
	explicit_bzero(agent->privacy.key, sizeof(agent->privacy.key));
	free(agent);
}

void
agent_add_sink(struct agent *agent, struct sink *sink)
{
	if (agent->sink_count < AGENT_SINKS)
		agent->sinks[agent->sink_count++] = sink;
}

void
agent_set_recorder(struct agent *agent, struct recorder *recorder)
{
	agent->recorder = recorder;
}

const struct prefix *
agent_own(const struct agent *agent, size_t *count)
{
	return places_own(agent->judge->places, count);
}

bool
agent_observes(const struct agent *agent)
{
	return agent->judge->observes;
}

int
agent_journal_fd(const struct agent *agent)
{
	return agent->journal ? journal_fd(agent->journal) : -1;
}

const struct privacy *
agent_privacy(const struct agent *agent)
{
	return &agent->privacy;
}

const char *
agent_node(const struct agent *agent)
{
	return agent->node;
}

void
agent_state(const struct agent *agent, struct agent_state *out)
{
	const struct ruleset_info *info = ruleset_info(agent->judge->rulesets[0]);

	*out = agent->state;
	out->processes = context_count(agent->context);
	out->folds = folds_count(agent->folds);
	out->policy = info->id;
	out->policy_version = info->version;
	out->policy_digest = info->digest;
	for (size_t i = 0; i < agent->judge->ruleset_count; i++)
		out->rules += ruleset_info(agent->judge->rulesets[i])->rules;
	out->has_journal = agent->journal != NULL;
	if (agent->journal)
		journal_state(agent->journal, &out->journal);
	out->has_carry = agent->carry != NULL;
	if (agent->carry)
		carry_state(agent->carry, &out->carry);
}
