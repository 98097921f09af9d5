/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wire.h - what a probe says to userspace.
 *
 * A probe writes records into a ring; userspace reads them back. This header is
 * the whole contract and the only one both sides include, so it uses nothing
 * but fixed-width types. A recording is these same bytes in a file.
 *
 * Four laws keep old recordings readable:
 *
 *   1. A kind keeps its number for ever. Retire numbers, never reuse them.
 *   2. A record grows at its tail only. Readers trust head.size, not sizeof.
 *   3. No hidden padding: every hole has a name. The compiler enforces it.
 *   4. A string of variable length is a slice (offset, length) of its record.
 *
 * To add a kind, add a line to WIRE_KINDS and follow the compiler: it asks for
 * struct wire_NAME here, and the linker for event_NAME in userspace/event/NAME.c.
 */
#ifndef WIRE_H
#define WIRE_H

#ifndef __BPF__
#include <linux/types.h>
#endif

/*	number  KIND     name     in one sentence */
#define WIRE_KINDS(X)                                                        \
	X(1, FLOW, flow, "traffic of one socket to one destination")         \
	X(2, CONNECT, connect, "a connection attempt that did not succeed")  \
	X(3, FORK, fork, "a process began")                                  \
	X(4, EXEC, exec, "a process replaced its program")                   \
	X(5, EXIT, exit, "a process ended")                                  \
	X(6, GAP, gap, "records that are known to be missing, and how many") \
	X(7, AGENT, agent, "the monitor speaks of itself: start, stop, reload, coverage")

enum wire_kind {
	WIRE_KIND_MAX = 16, /* room in the counters; grows with the list */
#define X(number, KIND, name, sentence) WIRE_##KIND = number,
	WIRE_KINDS(X)
#undef X
};

/* Who is named as the owner of a socket, and why (design: never guessed). */
enum wire_basis {
	WIRE_BASIS_UNKNOWN = 0,
	WIRE_BASIS_CONNECT = 1,  /* the process that called connect() */
	WIRE_BASIS_CREATE = 2,   /* the process that called socket() */
	WIRE_BASIS_LISTENER = 3, /* the service that listens, not the worker that accepted */
	WIRE_BASIS_SENDER = 4,   /* the process that sent, on a socket whose birth was not seen; no
				    probe says it today */
	WIRE_BASIS_HOLDER = 5,   /* the process that held it when the agent came */
};

enum wire_role {
	WIRE_ROLE_UNKNOWN = 0, /* the socket is older than the agent */
	WIRE_ROLE_CLIENT = 1,  /* connected, or sent first */
	WIRE_ROLE_SERVER = 2,  /* was accepted, or answers a peer that sent first */
};

/* Which witness saw the packets. */
enum wire_witness {
	WIRE_WITNESS_GATE = 0,      /* left a socket: cgroup_skb/egress */
	WIRE_WITNESS_NIC = 1,       /* left an uplink and passed no gate: unattributed */
	WIRE_WITNESS_FORWARDED = 2, /* left an uplink, came in by another interface */
};

enum wire_moment {
	WIRE_MOMENT_OPEN = 1,   /* first packet */
	WIRE_MOMENT_UPDATE = 2, /* still open after an interval */
	WIRE_MOMENT_CLOSE = 3,  /* final totals */
};

/* Bits of wire_flow.flags. */
#define WIRE_FLOW_RECEIVED  1u  /* bytes_in is known (TCP); else it is absent, not 0 */
#define WIRE_FLOW_IDLE      2u  /* closed because nothing moved */
#define WIRE_FLOW_REQUESTED 4u  /* requested/requested_port hold what connect() asked for */
#define WIRE_FLOW_ENDLESS   16u /* nothing will tell its end: closed when idle */
#define WIRE_FLOW_UNTOLD    32u /* in the table only: its opening record met a full ring */
/*
 * An opening record of a flow that found no room in the table: all its packets, this
 * one too, are in the totals, and no other record of it follows. It is counted by this
 * record, as a flow; only where this record is missing is it one of the totals' flows.
 */
#define WIRE_FLOW_UNTRACKED 64u

/* One more bit of wire_connect.flags. */
#define WIRE_CONNECT_UNSENT 8u /* closed without a single packet: no route, or refused locally */

#define WIRE_COMM_BYTES 16
#define WIRE_TEXT_BYTES 512 /* longest file name, argv or message in a record */

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#endif

/* Every record starts with this. */
struct wire_head {
	__u16 kind; /* enum wire_kind */
	__u16 size; /* of the whole record in bytes, head included */
	__u32 cpu;
	__u64 sequence; /* counts records of one kind on one CPU, from 0, without a gap */
	__u64 time_ns;  /* CLOCK_BOOTTIME, taken before the record got its place in the ring */
};

/* A string inside a record: bytes, counted from the record's start. No NUL is promised. */
struct wire_slice {
	__u16 offset;
	__u16 length;
};

/* IPv4 is stored mapped, as ::ffff:a.b.c.d. */
struct wire_addr {
	__u8 ip[16];
};

struct wire_owner {
	__u32 pid; /* thread group id in the initial namespace; 0 when basis is unknown */
	__u32 uid;
	__u32 gid;
	__u32 basis;    /* enum wire_basis */
	__u64 noted_ns; /* when it was noted: with pid, names a process although pids recur */
	__u64 cgroup;   /* cgroup v2 id of the process at that moment */
	char comm[WIRE_COMM_BYTES];
};

/*
 * Which of its programs a process runs. The kernel counts how often a process and those
 * it descends from replaced theirs, so together with the process's start the number names
 * one program for ever, whatever else was lost.
 */
struct wire_program {
	__u64 parent_started_ns; /* CLOCK_BOOTTIME, of its parent at that moment */
	__u32 execs;             /* 0: not known, and so nothing here is */
	__u32 parent_execs;
};

struct wire_flow {
	struct wire_head head;
	struct wire_owner owner;
	__u64 cookie; /* the socket's, unique until reboot; 0 without a socket */
	__u64 cgroup; /* cgroup v2 id in which the socket was created */
	struct wire_addr src;
	struct wire_addr dst;       /* on the wire, after NAT of its network namespace */
	struct wire_addr requested; /* before NAT; see WIRE_FLOW_REQUESTED */
	__u16 src_port;             /* ports in host order, 0 where the protocol has none */
	__u16 dst_port;
	__u16 requested_port;
	__u8 protocol; /* IANA number */
	__u8 role;     /* enum wire_role */
	__u8 moment;   /* enum wire_moment */
	__u8 witness;  /* enum wire_witness */
	__u16 flags;
	__u32 ifindex;    /* device of the first packet, in its network namespace */
	__u64 bytes;      /* sum of skb->len at the witness, IP header included */
	__u64 wire_bytes; /* plus the headers of the segments that GSO will cut */
	__u64 packets;    /* GSO super-packets count once */
	__u64 first_ns;
	__u64 last_ns;
	__u64 bytes_in;   /* see WIRE_FLOW_RECEIVED */
	__u64 told_bytes; /* of bytes: told by the records before this one */
	__u64 told_packets;
	__u64 started_ns;            /* of the owner; 0: not known */
	struct wire_program program; /* that the owner ran when it was noted */
};

struct wire_connect {
	struct wire_head head;
	struct wire_owner owner;
	__u64 cookie;
	__u64 cgroup;
	struct wire_addr dst;
	struct wire_addr requested;
	__u16 dst_port;
	__u16 requested_port;
	__u8 protocol;
	__u8 flags; /* WIRE_FLOW_REQUESTED */
	__u16 pad;
	__s32 error; /* errno that ended it; 0: closed by its owner before an answer */
	__u32 pad2;
	__u64 started_ns; /* of the owner; 0: not known */
	struct wire_program program;
};

struct wire_task {
	__u32 pid; /* thread group id */
	__u32 ppid;
	__u32 uid;
	__u32 gid;
	__u32 loginuid;   /* audit login uid, 4294967295 when unset */
	__u32 session;    /* audit session id, 4294967295 when unset */
	__u64 started_ns; /* CLOCK_BOOTTIME; with pid, names a process uniquely */
	__u64 cgroup;     /* cgroup v2 id */
	__u32 net_ns;     /* inode numbers of the namespaces, 0 when unknown */
	__u32 pid_ns;
	__u32 mnt_ns;
	__u32 pad;
	char comm[WIRE_COMM_BYTES];
};

struct wire_fork {
	struct wire_head head;
	struct wire_task task; /* of the child */
	struct wire_program program;
};

/* Bits of wire_exec.flags. */
#define WIRE_EXEC_SEEDED   1u /* was there before the agent: read from /proc, not seen */
#define WIRE_EXEC_ARGV_CUT 2u /* argv was longer than what was asked for */
#define WIRE_EXEC_PROGRAM  4u /* program is there: in older records its place is the slices' */

struct wire_exec {
	struct wire_head head;
	struct wire_task task;
	struct wire_slice exe;  /* path given to execve(), or the link in /proc when seeded */
	struct wire_slice argv; /* arguments, NUL between them; empty unless configured */
	struct wire_slice cgroup_path; /* only when seeded or read later from /proc */
	__u16 flags;
	__u16 pad;
	struct wire_program program; /* see WIRE_EXEC_PROGRAM */
				     /* bytes of the slices follow */
};

/* Not a record: what the kernel says of a process that runs now. */
struct wire_running {
	__u32 pid;
	__u32 pad;
	__u64 started_ns;
	struct wire_program program;
};

struct wire_exit {
	struct wire_head head;
	struct wire_task task;
	__s32 status; /* as wait(2) encodes it */
	__u32 pad;
	struct wire_program program;
};

/* Why records are missing. */
enum wire_loss {
	WIRE_LOSS_RING = 1,  /* the ring was full: a hole in the sequence numbers */
	WIRE_LOSS_TABLE = 2, /* the flow table was full: totals without destinations */
	WIRE_LOSS_SHED = 3,  /* the journal refused bulk entries: storage was too slow */
	WIRE_LOSS_DOWN = 4,  /* the agent was not there */
	WIRE_LOSS_UNREAD =
		5, /* entries that the stream to Kafka could not read; count 0: not known */
	WIRE_LOSS_GONE = 6,  /* entries that were on the disk, and are there no more */
	WIRE_LOSS_QUOTA = 7, /* the journal refused entries: the current shard fills the quota */
};

/* Which entries were refused. */
enum wire_class {
	WIRE_CLASS_ANY = 0, /* it is not known, or does not matter */
	WIRE_CLASS_BULK = 1,
	WIRE_CLASS_CRITICAL = 2, /* alerts, findings, gaps, words of the agent */
};

struct wire_gap {
	struct wire_head head;
	__u32 loss;           /* enum wire_loss */
	__u32 missing_kind;   /* enum wire_kind of what is missing */
	__u64 count;          /* records; for TABLE: flows */
	__u64 first_sequence; /* RING: the hole on head.cpu; else 0 */
	__u64 from_ns;        /* CLOCK_BOOTTIME bounds of the hole */
	__u64 to_ns;
	/* TABLE: what the flows carried; SHED, QUOTA: what the entries would have told */
	__u64 bytes;
	__u64 packets;
	__u32 class; /* SHED, QUOTA: enum wire_class */
	__u32 pad;
};

enum wire_life {
	WIRE_LIFE_START = 1,
	WIRE_LIFE_STOP = 2,
	WIRE_LIFE_RELOAD = 3,
	WIRE_LIFE_RELOAD_FAILED = 4,
	WIRE_LIFE_COVERAGE = 5,
	WIRE_LIFE_STREAM = 6,
};

struct wire_agent {
	struct wire_head head;
	__u32 life;             /* enum wire_life */
	struct wire_slice text; /* a sentence for people */
				/* bytes of the slice follow */
};

/*
 * What userspace tells the probes. One element, mapped into both; only plain
 * loads, so a change is seen by the next packet. A newer agent reads the one that
 * an older one left, so this too grows at its tail only.
 */
struct wire_settings {
	__u64 scope_cgroup; /* id of the cgroup to watch; 0: the whole node */
	__u32 scope_level;  /* its depth below the root */
	__u32 waiting;      /* userspace sleeps: the next record may wake it once */
	__u32 loopback;     /* 1: also count what goes out by lo */
	__u32 argv_bytes;   /* how much of argv exec records carry, at most WIRE_TEXT_BYTES */
	__u32 critical_wake_bytes; /* wake when this much waits in a ring */
	__u32 uplinks; /* 1: the NIC probe is attached and asks which destinations were counted */
	__u32 silent;  /* 1: another set of probes has taken over; see nothing */
	__u32 generation;  /* tracing programs of another generation are being replaced: silent */
	__u64 set;         /* random, of these maps: what was carried over belongs to one set */
	__u64 build;       /* digest of the programs that are attached */
	__u64 interval_ns; /* between updates of a long flow */
	__u64 idle_ns;     /* after which a flow without an end of its own is closed */
	__u32 tcp_ends;    /* 1: the kernel tells the end of TCP flows, the sweep leaves them */
	__u32 share;       /* flows that one cgroup may hold in a crowded table; 0: no limit */
	__u64 silenced_ns; /* CLOCK_BOOTTIME at which silent was set; 0: never */
	__u32 approximate; /* 1: some program that is attached does without fetch-and-add */
	__u32 crowded;     /* entries from which on the table is crowded */
	__u64 begun_ns;    /* CLOCK_BOOTTIME at which these maps began to count */
	__u32 told;        /* flows without an entry that one cgroup may tell in a second */
	__u32 pressed;     /* bytes waiting in the critical ring from which on it is fewer */
};

/* One per CPU and kind. seen = filtered + folded + issued; issued = submitted + dropped. */
struct wire_counters {
	__u64 seen;
	__u64 filtered; /* out of scope, loopback, or of no interest */
	__u64 folded;   /* counted in an existing entry or total; no record */
	__u64 issued;   /* given a sequence number */
	__u64 submitted;
	__u64 dropped; /* the ring was full */
	__u64 pad[2];  /* one cache line */
};

/* Named sums of bytes that are not flows. */
enum wire_total {
	WIRE_TOTAL_GATE = 0,       /* every packet that passed the gate and is in scope */
	WIRE_TOTAL_LISTENER,       /* SYN-ACKs: packets of a socket that listens */
	WIRE_TOTAL_CONTROL,        /* RST and ACK that the kernel sends without an owner */
	WIRE_TOTAL_LATE,           /* packets after the flow's closing record */
	WIRE_TOTAL_UNPARSED,       /* neither IPv4 nor IPv6, or cut short */
	WIRE_TOTAL_TABLE_FULL_OWN, /* overflow, by class of destination */
	WIRE_TOTAL_TABLE_FULL_FOREIGN,
	WIRE_TOTAL_CLOSE_LOST,  /* flows whose closing record met a full ring: all that they carried
				 */
	WIRE_TOTAL_NIC,         /* every packet that left an uplink */
	WIRE_TOTAL_NIC_COUNTED, /* of these: passed the gate */
	WIRE_TOTAL_NIC_FORWARDED, /* of these: forwarded */
	WIRE_TOTAL_NIC_STRAY,     /* of these: unattributed */
	WIRE_TOTAL_NIC_CONTROL,   /* of these: RST, SYN-ACK, IGMP that a kernel sends on nobody\'s
				     behalf */
	WIRE_TOTAL_NIC_OTHER,     /* of these: not IP (ARP and the like) */
	WIRE_TOTALS,
};

struct wire_sum {
	__u64 flows; /* or occasions, where there is no flow */
	__u64 packets;
	__u64 bytes;
	__u64 wire_bytes;
};

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

_Static_assert(sizeof(struct wire_head) == 24, "the head is part of the recording format");
_Static_assert(sizeof(struct wire_owner) == 48, "grow at the tail, then change this number");
_Static_assert(sizeof(struct wire_flow) == 240, "grow at the tail, then change this number");
_Static_assert(sizeof(struct wire_connect) == 160, "grow at the tail, then change this number");
_Static_assert(sizeof(struct wire_task) == 72, "grow at the tail, then change this number");
_Static_assert(sizeof(struct wire_exec) == 128, "grow at the tail, then change this number");
_Static_assert(sizeof(struct wire_gap) == 88, "grow at the tail, then change this number");
_Static_assert(sizeof(struct wire_counters) == 64, "one cache line");

#endif /* WIRE_H */
