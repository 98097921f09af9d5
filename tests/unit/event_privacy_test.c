/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* event_privacy_test - what is personal stands in no byte of an entry, unless its mode says so. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "event_samples.h"

static const char *const administrators[] = {"root", "ops", NULL};
static const struct privacy usual = {
	.mode = {[PRIVACY_USER] = PRIVACY_PSEUDONYM, [PRIVACY_ARGV] = PRIVACY_DROP},
	.key = "0123456789abcdef0123456789abcdef",
	.administrators = administrators,
};
static const struct privacy as_is;
static struct event event;

/* HMAC-SHA-256 of "alice" under that key, as openssl dgst prints it. */
#define ALICE "p-433deb45467e4e53"

static void
pseudonyms_are_keyed_hashes(void **state)
{
	struct privacy other = usual;
	struct pseudonyms cache = {0};
	char text[PSEUDONYM_TEXT], again[PSEUDONYM_TEXT];

	(void)state;
	privacy_pseudonym(&usual, "alice", text);
	assert_string_equal(text, ALICE);
	privacy_pseudonym(&usual, "alicf", again);
	assert_string_not_equal(text, again);
	other.key[0] ^= 1;
	privacy_pseudonym(&other, "alice", again);
	assert_string_not_equal(text, again);
	other = usual;
	other.cache = &cache;
	for (int i = 0; i < 2; i++) {
		privacy_pseudonym(&other, "alice", again);
		assert_string_equal(text, again);
	}
	for (int i = 0; i < 1000; i++) { /* more than the cache holds */
		char name[16], plain[PSEUDONYM_TEXT];

		snprintf(name, sizeof(name), "user%d", i);
		privacy_pseudonym(&other, name, again);
		privacy_pseudonym(&usual, name, plain);
		assert_string_equal(plain, again);
	}
}

static void
paths_lose_their_people(void **state)
{
	/* A is alice's pseudonym, B bob's, N that of uid:1000. */
	static const struct {
		const char *path, *user, *shown;
	} cases[] = {
		{"/usr/bin/python3", "alice", "/usr/bin/python3"},
		{"/home/alice/bin/x", "alice", "/home/A/bin/x"},
		{"/home/alice/bin/x", NULL, "/home/A/bin/x"},
		{"/home/bob", "alice", "/home/B"},
		{"/home//alice//x/", NULL, "/home//A//x/"},
		{"/home/./alice/x", NULL, "/home/./A/x"},
		{"/home/bob/../alice/x", NULL, "/home/B/../A/x"},
		{"/var/home/alice", NULL, "/var/home/A"},
		{"/home/root/x", NULL, "/home/root/x"},
		{"/home/ops/x", NULL, "/home/ops/x"},
		{"/home", "alice", "/home"},
		{"/home/", "alice", "/home/"},
		{"/srv/alice/alice.db", "alice", "/srv/A/alice.db"},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice", NULL,
		 "/user.slice/user-N.slice/user@N.service/app.slice"},
		{"/user.slice/user-0.slice/session-1.scope", NULL,
		 "/user.slice/user-0.slice/session-1.scope"},
		{"/run/user/1000/bus", NULL, "/run/user/N/bus"},
		{"user-runtime-dir@1000.service", NULL, "user-runtime-dir@N.service"},
		{"/usr/bin/user-agent", NULL, "/usr/bin/user-agent"},
		{"", "alice", ""},
		{"alice", "alice", "A"},
	};
	char pseudonym[PSEUDONYM_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out cleanup(buf_fini) = {0}, want cleanup(buf_fini) = {0};

		for (const char *at = cases[i].shown; *at; at++) {
			const char *who = *at == 'A'   ? "alice"
					  : *at == 'B' ? "bob"
					  : *at == 'N' ? "uid:1000"
						       : NULL;

			if (who)
				privacy_pseudonym(&usual, who, pseudonym);
			buf_add(&want, who ? pseudonym : at, who ? PSEUDONYM_TEXT - 1 : 1);
		}
		privacy_path(&usual, cases[i].path, cases[i].user, &out);
		assert_string_equal(buf_text(&out), buf_text(&want));
	}
}

static void
expect(const struct privacy *privacy, bool is_there, const char *text)
{
	struct buf out cleanup(buf_fini) = {0};

	event_write(&out, &event, &sample_stamp, privacy);
	if (!!strstr(buf_text(&out), text) != is_there)
		fail_msg("%s%s in %s", is_there ? "no " : "", text, buf_text(&out));
}

/* Every place where a user's name, number or secret could be. */
static void
plant(void)
{
	sample_make(&event, &samples[0]);
	event.process.user = event.process.login_user = "zebedee";
	event.process.uid = event.process.loginuid = event.process.gid = 61729;
	event.process.name = event.process.parent_name = "zebedee";
	event.process.exe = "/home/zebedee/zebedee";
	event.process.argv = "tool --password=tr0ub4dor";
	event.process.cgroup_path = "/user.slice/user-61729.slice/user@61729.service";
	event.process.unit = "user@61729.service";
	event.process.container = event.process.pod = NULL;
}

static void
usual_modes_hide_people(void **state)
{
	char pseudonym[PSEUDONYM_TEXT];

	(void)state;
	plant();
	privacy_pseudonym(&usual, "zebedee", pseudonym);
	expect(&usual, false, "zebedee");
	expect(&usual, false, "61729");
	expect(&usual, false, "tr0ub4dor");
	expect(&usual, true, pseudonym);
	event.process.user = event.process.login_user = NULL;
	event.process.exe = "/home/zebedee/zebedee";
	event.process.name = event.process.parent_name = "x";
	expect(&usual, false, "61729");
	privacy_pseudonym(&usual, "uid:61729", pseudonym);
	expect(&usual, true, pseudonym);
}

/* Raw bytes in hex are no way around a mode. */
static void
hex_hides_people_too(void **state)
{
	(void)state;
	plant();
	event.process.user = "zebe\xff";
	event.process.name = "zebe\xff";
	event.process.login_user = NULL;
	event.process.parent_name = NULL;
	event.process.exe = "/home/zebe\xff/x";
	event.process.argv = "zebe\xff";
	expect(&usual, false, "7a656265ff");
	expect(&usual, false, "zebe");
}

static void
drop_leaves_nothing(void **state)
{
	struct privacy drop = usual;

	(void)state;
	plant();
	drop.mode[PRIVACY_USER] = PRIVACY_DROP;
	expect(&drop, false, "zebedee");
	expect(&drop, false, "61729");
	expect(&drop, false, "\"p-");
	expect(&drop, true, "/home/-/");
	drop.mode[PRIVACY_PATH] = PRIVACY_DROP;
	expect(&drop, false, "/home/");
	expect(&drop, false, "user.slice");
}

static void
full_keeps_all(void **state)
{
	struct privacy full = {.administrators = NULL};

	(void)state;
	plant();
	expect(&full, true, "\"name\":\"zebedee\",\"uid\":\"61729\"");
	expect(&full, true, "/home/zebedee/zebedee");
	expect(&full, true, "tr0ub4dor");
	full.mode[PRIVACY_ARGV] = PRIVACY_PSEUDONYM;
	expect(&full, false, "tr0ub4dor");
	expect(&full, true, "\"cmd_line\":\"p-");
}

static void
administrators_stay_in_full(void **state)
{
	(void)state;
	plant();
	event.process.user = event.process.login_user = "ops";
	event.process.exe = "/home/ops/tool";
	event.process.name = event.process.parent_name = "ops";
	expect(&usual, true, "\"name\":\"ops\",\"uid\":\"61729\"");
	expect(&usual, true, "/home/ops/tool");
	expect(&usual, true, "user-61729.slice");
	event.process.user = NULL;
	event.process.uid = 0;
	event.process.gid = 0;
	expect(&usual, true, "\"user\":{\"groups\":[{\"uid\":\"0\"}],\"uid\":\"0\"}");
}

static void
long_paths_are_left_out_not_shown(void **state)
{
	static char path[6000];

	(void)state;
	plant();
	for (size_t i = 0; i + 8 < sizeof(path); i += 8)
		memcpy(path + i, "/zebedee", 8);
	event.process.exe = path;
	expect(&usual, false, "zebedee");
}

/* An entry that is read back and written in full has the same pseudonyms, not those of them. */
static void
hidden_entries_come_back_whole(void **state)
{
	static const enum privacy_mode modes[] = {PRIVACY_PSEUDONYM, PRIVACY_DROP};
	static struct event back;
	size_t pseudonyms = 0;

	(void)state;
	for (size_t i = 0; i < SAMPLES * 4; i++) {
		struct buf first cleanup(buf_fini) = {0}, second cleanup(buf_fini) = {0};
		struct buf store cleanup(buf_fini) = {0};
		struct privacy privacy = usual;
		struct error why = {0};

		privacy.mode[PRIVACY_USER] = modes[i / SAMPLES % 2];
		privacy.mode[PRIVACY_ARGV] = modes[i / SAMPLES / 2];
		sample_make(&event, &samples[i % SAMPLES]);
		if (i % 2) { /* nothing but numbers, of two people */
			event.process.user = NULL;
			event.process.uid = 33;
		}
		event_write(&first, &event, &sample_stamp, &privacy);
		assert_int_equal(event_read(&back, &store, first.data, first.length, &why), 0);
		pseudonyms += back.process.uid_shown != NULL;
		event_write(&second, &back, &sample_stamp, &as_is);
		assert_string_equal(buf_text(&first), buf_text(&second));
	}
	assert_true(pseudonyms > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pseudonyms_are_keyed_hashes),
		cmocka_unit_test(paths_lose_their_people),
		cmocka_unit_test(usual_modes_hide_people),
		cmocka_unit_test(hex_hides_people_too),
		cmocka_unit_test(drop_leaves_nothing),
		cmocka_unit_test(full_keeps_all),
		cmocka_unit_test(administrators_stay_in_full),
		cmocka_unit_test(long_paths_are_left_out_not_shown),
		cmocka_unit_test(hidden_entries_come_back_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
