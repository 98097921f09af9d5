// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * connect - who owns a socket, what it asked for, and who spoke first.
 *
 * Runs in the context of the process that makes the call, and leaves what it
 * learns in the socket's storage, where the gate finds it:
 *
 *	socket()	the creator owns it
 *	connect()	whoever connects it does; the address as asked, before NAT
 *	recvfrom()	a datagram peer that spoke first is being answered
 *	close()		an attempt from which no packet came is told; a flow's end is due
 *
 * No helper reads foreign memory: it loads under lockdown=confidentiality. On kernels
 * before 5.12 one does, unless it may not: then records do not name the program.
 */
#include "flow.h"

#define FAMILY_INET  2
#define FAMILY_INET6 10

#define FORGETFUL_NS (3600 * 1000000000ull)

static __always_inline bool
is_worker(const char *comm)
{
	return comm[0] == 'k' && comm[1] == 'w' && comm[2] == 'o' && comm[3] == 'r' &&
	       comm[4] == 'k' && comm[5] == 'e' && comm[6] == 'r' && comm[7] == '/';
}

#ifdef WITHOUT_FETCH
volatile const __u32 may_read; /* the kernel's memory, by a helper; set by the loader */

/* The kernel gives these programs no task to look at before 5.11. */
static __always_inline void
note_program(struct sock_state *st)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (!may_read)
		return;
	st->started_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	st->program.execs = BPF_CORE_READ(task, self_exec_id);
	st->program.parent_execs = BPF_CORE_READ(task, real_parent, self_exec_id);
	st->program.parent_started_ns =
		BPF_CORE_READ(task, real_parent, group_leader, start_boottime);
}
#else
/* Which process that is, and which of its programs. */
static __always_inline void
note_program(struct sock_state *st)
{
	struct task_struct *task = bpf_get_current_task_btf();

	st->started_ns = task->group_leader->start_boottime;
	program_of(&st->program, task);
}
#endif

static __always_inline void
note_owner(struct sock_state *st, __u32 basis)
{
	__u64 ids = bpf_get_current_uid_gid();

	st->owner.pid = bpf_get_current_pid_tgid() >> 32;
	st->owner.uid = (__u32)ids;
	st->owner.gid = ids >> 32;
	st->owner.basis = basis;
	st->owner.noted_ns = bpf_ktime_get_boot_ns();
	st->owner.cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(st->owner.comm, sizeof(st->owner.comm));
	note_program(st);
	if (is_worker(st->owner.comm)) /* of the kernel, on behalf of nobody can say whom */
		__builtin_memset(&st->owner, 0, sizeof(st->owner));
}

static __always_inline struct sock_state *
state_of(struct bpf_sock *sk)
{
	return sk ? bpf_sk_storage_get(&socks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE) : NULL;
}

/*
 * Nine tenths of this hook is the storage's allocation, which nothing is saved by putting
 * off: a socket that connects or listens needs it anyway, and who sends by one that does
 * neither may not be who opened it, nor run when its packet leaves.
 */
SEC("cgroup/sock_create")
int
sock_create(struct bpf_sock *sk)
{
	struct sock_state *st;

	if (sk->family != FAMILY_INET && sk->family != FAMILY_INET6)
		return 1;
	st = state_of(sk);
	if (st) {
		note_owner(st, WIRE_BASIS_CREATE);
		st->cookie = bpf_get_socket_cookie(sk);
	}
	return 1;
}

/* An attempt from which no packet came: no route, or refused before it left. */
static __always_inline void
tell_unsent(const struct sock_state *st)
{
	if (st->flags & SOCK_ATTEMPTED && !(st->flags & (SOCK_SENT | SOCK_CLOSED)))
		report_attempt(st, &st->requested, st->requested_port, st->owner.cgroup, 0,
			       WIRE_CONNECT_UNSENT);
}

static __always_inline void
attempt(struct bpf_sock_addr *ctx, const struct wire_addr *requested)
{
	struct sock_state *st = state_of(ctx->sk);

	if (!st)
		return;
	tell_unsent(st); /* of the attempt before, on the same socket */
	note_owner(st, WIRE_BASIS_CONNECT);
	st->cookie = bpf_get_socket_cookie(ctx);
	st->requested = *requested;
	st->requested_port = bpf_ntohs(ctx->user_port);
	st->flags = SOCK_REQUESTED | (ctx->type == TYPE_STREAM ? SOCK_ATTEMPTED : 0);
	st->role = WIRE_ROLE_CLIENT;
}

SEC("cgroup/connect4")
int
connect_v4(struct bpf_sock_addr *ctx)
{
	struct wire_addr requested;

	addr_from_v4(&requested, ctx->user_ip4);
	attempt(ctx, &requested);
	return 1;
}

static __always_inline void
addr_from_v6(struct wire_addr *out, const struct bpf_sock_addr *ctx)
{
	__u32 *words = (void *)out;

	words[0] = ctx->user_ip6[0];
	words[1] = ctx->user_ip6[1];
	words[2] = ctx->user_ip6[2];
	words[3] = ctx->user_ip6[3];
}

SEC("cgroup/connect6")
int
connect_v6(struct bpf_sock_addr *ctx)
{
	struct wire_addr requested;

	addr_from_v6(&requested, ctx);
	attempt(ctx, &requested);
	return 1;
}

/* Did a flood pass lately, in which may have been forgotten who spoke first? */
static __always_inline bool
is_forgetful(void)
{
	__u32 place = HELD_PLACES;
	struct held *all = bpf_map_lookup_elem(&held, &place);

	return all && all->told && bpf_ktime_get_boot_ns() - all->told < FORGETFUL_NS;
}

static __always_inline bool
spoke_first(struct sock_state *st)
{
	if (!(st->flags & SOCK_SENT))
		st->flags |= SOCK_HEARD;
	return !(st->flags & SOCK_HEARD) && is_forgetful();
}

/* A datagram arrived. Unless we were the first to speak to that peer, what we send it is an answer.
 */
static __always_inline void
hear(struct bpf_sock_addr *ctx, const struct wire_addr *peer)
{
	struct flow_key key = {
		.cookie = bpf_get_socket_cookie(ctx),
		.dst = *peer,
		.port = bpf_ntohs(ctx->user_port),
		.protocol = ctx->protocol,
		.witness = WIRE_WITNESS_GATE,
	};
	struct sock_state *st;
	__u8 they = WIRE_ROLE_SERVER;

	if (bpf_map_lookup_elem(&flows, &key) || bpf_map_lookup_elem(&openers, &key))
		return;
	st = ctx->sk ? bpf_sk_storage_get(&socks, ctx->sk, 0, 0) : NULL;
	if (st && (st->role == WIRE_ROLE_CLIENT /* it called connect() */ || spoke_first(st)))
		return;
	bpf_map_update_elem(&openers, &key, &they, BPF_ANY);
}

SEC("cgroup/recvmsg4")
int
recvmsg_v4(struct bpf_sock_addr *ctx)
{
	struct wire_addr peer;

	addr_from_v4(&peer, ctx->user_ip4);
	hear(ctx, &peer);
	return 1;
}

SEC("cgroup/recvmsg6")
int
recvmsg_v6(struct bpf_sock_addr *ctx)
{
	struct wire_addr peer;

	addr_from_v6(&peer, ctx);
	hear(ctx, &peer);
	return 1;
}

/*
 * The kernel skips a tracing program that it interrupted with itself, and while others come
 * to the same tracepoint: should the end of this connection go by unseen, the sweep tells it.
 */
static __always_inline void
expect_end(const struct sock_state *st)
{
	struct flow_key key = {
		.cookie = st->cookie,
		.dst = st->dst,
		.port = st->dst_port,
		.protocol = PROTOCOL_TCP,
		.witness = WIRE_WITNESS_GATE,
	};
	struct wire_flow *flow = bpf_map_lookup_elem(&flows, &key);

	if (flow)
		flow->moment = WIRE_MOMENT_CLOSE;
}

SEC("cgroup/sock_release")
int
sock_release(struct bpf_sock *sk)
{
	struct sock_state *st = bpf_sk_storage_get(&socks, sk, 0, 0);

	if (!st)
		return 1;
	tell_unsent(st);
	if (sk->type == TYPE_STREAM && (st->flags & (SOCK_SENT | SOCK_CLOSED)) == SOCK_SENT)
		expect_end(st);
	return 1;
}
