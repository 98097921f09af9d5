// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * snapshot - the sockets that were there before the agent, and who holds them.
 *
 * Run once, after everything is attached, so that nothing falls between. Two
 * rounds over every descriptor of every task: the first notes the ports that are
 * listened on, the second gives each socket an owner, and its role by whether its
 * port is one of those.
 *
 * And, whenever it is read, which program each process runs: what /proc shows of a
 * process belongs to a record of it if both name the same one.
 */
#include "socks.h"

#define FAMILY_INET  2
#define FAMILY_INET6 10
#define STATE_LISTEN 10
#define STATE_CLOSE  7
#define PROTOCOL_TCP 6

struct port {
	__u32 net_ns;
	__u16 number;
	__u16 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct port);
	__type(value, __u8);
} listened SEC(".maps");

static __always_inline void
port_of(struct port *port, const struct sock *sk)
{
	port->net_ns = sk->__sk_common.skc_net.net->ns.inum;
	port->number = sk->__sk_common.skc_num;
	port->pad = 0;
}

/* An IP socket behind this descriptor, or NULL. */
static __always_inline struct sock *
socket_behind(struct file *file)
{
	struct socket *socket = file ? bpf_sock_from_file(file) : NULL;
	struct sock *sk = socket ? socket->sk : NULL;

	if (!sk)
		return NULL;
	if (sk->__sk_common.skc_family != FAMILY_INET && sk->__sk_common.skc_family != FAMILY_INET6)
		return NULL;
	return sk;
}

SEC("iter/task_file")
int
snapshot_ports(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = socket_behind(ctx->file);
	struct port port;
	__u8 one = 1;

	if (!sk || sk->__sk_common.skc_state != STATE_LISTEN)
		return 0;
	port_of(&port, sk);
	bpf_map_update_elem(&listened, &port, &one, BPF_ANY);
	return 0;
}

static __always_inline void
own(struct sock_state *st, struct task_struct *task, struct sock *sk)
{
	struct port port;

	st->owner.pid = task->tgid;
	st->owner.uid = task->cred->uid.val;
	st->owner.gid = task->cred->gid.val;
	st->owner.noted_ns = bpf_ktime_get_boot_ns();
	st->owner.cgroup = task->cgroups->dfl_cgrp->kn->id;
	st->owner.basis = WIRE_BASIS_HOLDER;
	__builtin_memcpy(st->owner.comm, task->comm, sizeof(st->owner.comm));
	st->started_ns = task->start_boottime;
	program_of(&st->program, task);
	st->cookie = bpf_get_socket_cookie(sk);
	if (sk->sk_protocol != PROTOCOL_TCP || sk->__sk_common.skc_state == STATE_CLOSE)
		return;
	port_of(&port, sk);
	st->role = bpf_map_lookup_elem(&listened, &port) ? WIRE_ROLE_SERVER : WIRE_ROLE_CLIENT;
}

/* Several tasks may hold one socket: the first, which has the lowest id, is named. */
SEC("iter/task_file")
int
snapshot_owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct sock *sk = socket_behind(ctx->file);
	struct sock_state *st;

	if (!task || !sk || task->pid != task->tgid)
		return 0;
	st = bpf_sk_storage_get(&socks, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (st && st->owner.basis == WIRE_BASIS_UNKNOWN)
		own(st, task, sk);
	return 0;
}

SEC("iter/task")
int
snapshot_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wire_running running = {0};

	if (!task || task->pid != task->tgid)
		return 0;
	running.pid = task->tgid;
	running.started_ns = task->start_boottime;
	program_of(&running.program, task);
	bpf_seq_write(ctx->meta->seq, &running, sizeof(running));
	return 0;
}
