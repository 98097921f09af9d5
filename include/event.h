/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * event.h - a record, decoded, with everything that is known about it.
 *
 * struct event is plain data. decode() fills in what the record says, context
 * adds who, place adds where, judgement adds which rule; then event_write()
 * turns it into one canonical OCSF object. One field table per kind is read by
 * the rule parser, the matcher, the JSON writer and reader, `demarc fields`
 * and the docs, so a field has one name and one meaning everywhere.
 *
 * Nothing here opens a file, reads a clock or logs.
 *
 * Absent is not zero: an integer that is not known is ABSENT, a string or set is
 * NULL, an address is all zero bytes. Absent fields are not written and match
 * no rule but `exists: false`.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/ip.h"
#include "wire.h"

#define ABSENT INT64_MIN

/* Whoever did it. Strings belong to the event's scratch or to the context, and live for the turn.
 */
struct event_process {
	int64_t pid; /* in the initial pid namespace */
	int64_t ppid;
	int64_t started_ns; /* CLOCK_BOOTTIME; with pid, names a process uniquely */
	int64_t uid;
	int64_t gid;
	int64_t loginuid; /* audit: who logged in, whatever the uid is now */
	int64_t session;  /* audit session id */
	int64_t cgroup;   /* cgroup v2 id */
	int64_t net_ns;
	/* Which of its programs it ran, and its parent: see struct wire_program. Not fields. */
	int64_t execs, parent_execs, parent_started_ns;
	const char *name; /* comm */
	const char *exe;
	const char *argv; /* joined by spaces; NULL unless configured */
	const char *user; /* name of uid */
	const char *login_user;
	const char *parent_name;
	const char *cgroup_path;
	const char *container; /* full id, 64 hex digits, or an lxc name */
	const char *runtime;   /* containerd, cri-o, docker, podman, lxc, runc */
	const char *pod;       /* pod UID, with dashes */
	const char *unit;      /* systemd unit, where there is no container */
	/* Pseudonyms that stand for the numbers in an entry read back; nothing else sets them. */
	const char *uid_shown, *gid_shown, *loginuid_shown;
};

/* Where an address is, and whose law binds it: three facts, each with its source. */
struct event_place {
	const char *scope;           /* public private loopback link-local metadata cgnat own
					documentation multicast broadcast unspecified reserved */
	const char *location;        /* ISO 3166-1 alpha-2 */
	const char *location_source; /* override geofeed provider mmdb */
	const char *operator_country;
	const char *operator_source;
	const char *operator_name;
	int64_t asn;
	const char *provider;
	const char *region;
	const char *const
		*location_law; /* legal groups in force at the event's time, NULL-terminated */
	const char *const *operator_law;
};

/* What the rules said. */
struct event_judgement {
	const char *verdict; /* allowed conditional unknown violation */
	const char *rule;    /* id of the rule this entry reports */
	const char *title;
	const char *level; /* informational low medium high critical */
	int64_t severity;  /* OCSF severity_id, 1 to 5 */
	bool alert;
	const char *const *tags; /* NULL-terminated */
	const char *policy;      /* rule set's metadata.id */
	const char *policy_version;
	const char *policy_digest; /* SHA-256 of the rule set's canonical form, hex */
	const char *phase;         /* of folded repeats: open update close; NULL when not folded */
	const char *opened;        /* of update and close: metadata.uid of the entry that opened */
	int64_t count;             /* events folded into this entry; ABSENT: 1 */
	int64_t first_ms;          /* wall time of the first and last of them */
	int64_t last_ms;
};

#define EVENT_SCRATCH_BYTES 2304

struct event {
	const struct event_type *type;
	uint64_t time_ns; /* CLOCK_BOOTTIME */
	int64_t wall_ms;  /* UTC; time_ns moved by the clock offset of the moment */
	struct event_process process;

	/* the network: flow, connect */
	struct ip src, dst, requested;
	int64_t src_port, dst_port, requested_port;
	int64_t protocol;          /* IANA number */
	const char *protocol_name; /* "tcp"; NULL for numbers without a name */
	const char *role;          /* client server unknown */
	const char *basis;         /* connect create listener sender unknown */
	const char *witness;       /* gate nic forwarded */
	const char *moment;        /* open update close */
	const char *outcome;       /* connect: refused timeout unreachable aborted unsent failed */
	int64_t error;             /* errno, positive */
	int64_t bytes, wire_bytes, packets, bytes_in; /* of the flow so far */
	int64_t delta_bytes, delta_packets; /* since the flow's last record; what sums may add up */
	int64_t duration_ms;
	int64_t cookie;
	int64_t noted_ns; /* when the owner was noted; context looks the process up by it */
	struct event_place dst_place;

	/* a process's life: exit */
	int64_t exit_code;
	int64_t exit_signal;
	bool seeded; /* exec: was there before the agent */

	/* the monitor: gap, agent */
	const char *reason;     /* gap: ring table shed quota down unread; agent: start stop ... */
	const char *missing;    /* gap: the kind that is missing */
	const char *lost_class; /* gap: of entries that were refused: bulk or critical */
	const char *message;    /* a sentence for people; every event may have one */
	int64_t lost;           /* gap: how many */
	int64_t lost_bytes, lost_packets;
	int64_t from_ms, to_ms; /* gap: wall times of the hole */
	int64_t lost_cpu, lost_sequence;

	struct event_judgement judgement;
	/* of a finding, which is written beside an alert and about it */
	const struct event_type *subject; /* kind of the alert; NULL: this is no finding */
	const char *alert_uid;            /* its metadata.uid */
	size_t scratch_used;
	char scratch[EVENT_SCRATCH_BYTES]; /* strings that decode() copied out of the record */
};

enum field_type {
	FIELD_STRING, /* const char * */
	FIELD_INT,    /* int64_t */
	FIELD_BOOL,   /* bool: false is written too, where the row says so */
	FIELD_IP,     /* struct ip */
	FIELD_SET,    /* const char *const *, NULL-terminated */
};

/* Personal data, and so which privacy mode applies before anything is stored. */
enum field_privacy {
	PRIVACY_NONE,
	PRIVACY_USER,   /* names and numbers of people: pseudonym by default */
	PRIVACY_ARGV,   /* drop by default */
	PRIVACY_ORIGIN, /* addresses people come from */
	PRIVACY_PEER,   /* names of remote peers */
	PRIVACY_PATH,   /* a path that may hold a user's name (/home/NAME/...): that part as
			   PRIVACY_USER */
	PRIVACY_CLASSES,
};

/* What the writer puts at the row's path. */
enum field_form {
	FORM_PLAIN,      /* the member as it is */
	FORM_TEXT,       /* an integer as a string, where OCSF wants one */
	FORM_FACT_TEXT,  /* a string that facts_fill() worked out, such as a pseudonym */
	FORM_FACT_INT,   /* a number that facts_fill() worked out */
	FORM_FACT_BOOL,  /* a truth value that facts_fill() worked out; false is written too */
	FORM_HEX,        /* the bytes of a string that is not UTF-8, in hex */
	FORM_TECHNIQUES, /* a set of ATT&CK ids as OCSF attacks */
};

#define FIELD_KEY_BYTES 32 /* copied whole: one size is one move */

/*
 * One row. `ocsf` is the path in the JSON object, components parted by dots,
 * array elements as name[0], or as name[TYPE] for the element whose member
 * "type" says TYPE; NULL when the field is for rules only. A field may have
 * several rows with name NULL and only a path, to be written in several places.
 *
 * Rows stand in the canonical order of their paths, so that the table itself is
 * the writer's plan. A row of zeroes (neither name nor path) ends it.
 */
struct field {
	const char *name; /* in rules, docs and messages: "dst.ip" */
	enum field_type type;
	size_t offset; /* in struct event */
	const char *ocsf;
	enum field_privacy privacy;
	const char *doc;      /* one line, with the unit */
	const char *constant; /* raw JSON written instead of a field's value; then type and offset
				 are unused */
	enum field_form form;
	size_t fact; /* in struct facts, for the forms that say so */
	size_t constant_length;
	const char *parent; /* ocsf without its last component; rows of one parent often share it */
	size_t parent_length; /* of ocsf: bytes before the last dot */
	size_t key_length;
	char key[FIELD_KEY_BYTES]; /* ,"last component of ocsf": */
	bool weak;                 /* alone, it is no reason to write the object that it is in */
};

struct event_type {
	const char *name; /* "flow": rules and replay say this */
	enum wire_kind kind;
	const char *sentence;
	int class_uid; /* OCSF */
	/* Fill *event from a record whose head.size bytes are readable. 0, or -EBADMSG when
	 * it is shorter than its kind demands or a slice points outside it. */
	int (*decode)(struct event *event, const struct wire_head *head);
	const struct field *fields; /* ends with a row of zeroes */
	/* Fills in the OCSF members that depend on the event; NULL when all are constant. */
	int (*activity_id)(const struct event *event);
};

#define X(number, KIND, name, sentence) extern const struct event_type event_##name;
WIRE_KINDS(X)
#undef X

/* An entry about an alert: no record of a probe, and nothing that rules speak of. */
extern const struct event_type event_finding;

/* The registry. NULL for a number or name that no kind has. */
const struct event_type *event_type_by_kind(unsigned int kind);
const struct event_type *event_type_by_name(const char *name);
/* All kinds in order of their number; *count is set. */
const struct event_type *const *event_types(size_t *count);

/* A field by its rule name, or NULL. */
const struct field *event_field(const struct event_type *type, const char *name);

/* Reading a field without knowing its struct member. */
int64_t event_int(const struct event *event, const struct field *field);
const char *event_string(const struct event *event, const struct field *field);
const struct ip *event_ip(const struct event *event, const struct field *field);
const char *const *event_set(const struct event *event, const struct field *field);
bool event_has(const struct event *event, const struct field *field);

/* Everything absent. */
void event_init(struct event *event, const struct event_type *type);

/* Set wall_ms from time_ns by the clock's offset (clock_offset_ms()), and move a gap's bounds,
 * which decode() leaves in ms since boot, to wall time. Once per decoded event. */
void event_set_wall(struct event *event, int64_t offset_ms);

/* Copy bytes into the event's scratch as a C string; "" when the scratch is full. */
const char *event_keep(struct event *event, const char *bytes, size_t length);

/* event_init(), then the kind's decode(). -EBADMSG, or -ENOENT for an unknown kind. */
int event_decode(struct event *event, const struct wire_head *head);

/*
 * Writing and reading
 * -------------------
 */

enum privacy_mode { PRIVACY_FULL, PRIVACY_PSEUDONYM, PRIVACY_DROP };

struct privacy {
	enum privacy_mode mode[PRIVACY_CLASSES];
	unsigned char key[32]; /* of the HMAC-SHA-256 that makes pseudonyms */
	const char *const
		*administrators;  /* user names written in full; NULL-terminated, or NULL */
	struct pseudonyms *cache; /* spares an HMAC per event; NULL: none. Zero it with the key. */
};

/* Pseudonyms made lately, by a hash of their text. */
struct pseudonyms {
	struct {
		char text[44];
		char pseudonym[20];
	} slot[64];
};

/* "p-" and 16 hex digits: HMAC-SHA-256(key, text). The same text gives the same pseudonym. */
#define PSEUDONYM_TEXT 19
void privacy_pseudonym(const struct privacy *privacy, const char *text, char out[PSEUDONYM_TEXT]);

/* A path with the component after /home/ (and each component equal to user) replaced. */
void privacy_path(const struct privacy *privacy, const char *path, const char *user,
		  struct buf *out);

/* What makes an event an entry of the journal. */
struct event_stamp {
	const char *uid;      /* metadata.uid: 128 random bits in hex */
	uint64_t sequence;    /* metadata.sequence: position in the shard, from 0 */
	const char *log_name; /* metadata.log_name: the shard */
	int64_t logged_ms;    /* metadata.logged_time */
	const char *node;     /* device.hostname */
	const char *cluster;  /* NULL when not configured */
	const char *version;  /* metadata.product.version */
	const char *boot_id;
};

/*
 * Append the event as one canonical object (RFC 8785, no newline), with the
 * privacy modes applied. Bytes that are not UTF-8 become U+FFFD, and the raw
 * bytes stand beside in hex. Nothing is allocated but out's room.
 */
void event_write(struct buf *out, const struct event *event, const struct event_stamp *stamp,
		 const struct privacy *privacy);

/*
 * Read one such object back, for rules that judge a past journal. Pseudonyms
 * stay pseudonyms. Strings live in `store`, which is cleared first and must
 * outlive the event. -EINVAL with the place in why.
 */
int event_read(struct event *event, struct buf *store, const char *json, size_t length,
	       struct error *why);

#endif /* EVENT_H */
