/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * programs - the table of programs: what each is for, and what is not seen without
 * it. Rows of one subject and rank are alternatives: the first that loads wins.
 */
#include "programs.h"

#include "connect.skel.h"
#include "connect_plain.skel.h"
#include "flow.skel.h"
#include "flow_plain.skel.h"
#include "nic.skel.h"
#include "nic_plain.skel.h"
#include "process.skel.h"
#include "process_plain.skel.h"
#include "snapshot.skel.h"
#include "snapshot_plain.skel.h"
#include "sweep.skel.h"
#include "sweep_plain.skel.h"
#include "together.skel.h"

#define OBJECT(name) name##_bpf__elf_bytes, name##_plain_bpf__elf_bytes

const struct program programs[] = {
	{"socket owner", "sock_create", "cgroup/sock_create", OBJECT(connect), BY_CGROUP, true,
	 false, "who opened a socket that never connects"},
	{"connection owner and requested address", "connect_v4", "cgroup/connect4", OBJECT(connect),
	 BY_CGROUP, true, false, "who connected over IPv4, and the address before NAT"},
	{"connection owner and requested address", "connect_v6", "cgroup/connect6", OBJECT(connect),
	 BY_CGROUP, true, false, "who connected over IPv6, and the address before NAT"},
	{"datagram role", "recvmsg_v4", "cgroup/recvmsg4", OBJECT(connect), BY_CGROUP, false, false,
	 "that an IPv4 datagram is an answer: such flows count as client"},
	{"datagram role", "recvmsg_v6", "cgroup/recvmsg6", OBJECT(connect), BY_CGROUP, false, false,
	 "that an IPv6 datagram is an answer: such flows count as client"},
	{"attempts without a packet", "sock_release", "cgroup/sock_release", OBJECT(connect),
	 BY_CGROUP, false, false, "connects that failed before a packet left"},
	{"process life", "process_fork", "tp_btf/sched_process_fork", OBJECT(process), BY_LINK,
	 false, false, "parents of processes that live shortly"},
	{"process life", "process_exec", "tp_btf/sched_process_exec", OBJECT(process), BY_LINK,
	 false, false, "paths of programs that run shortly"},
	{"process life", "process_exec_id", "tp_btf/sched_process_exec", OBJECT(process), BY_LINK,
	 false, true, "programs that run shortly"},
	{"process life", "process_exit", "tp_btf/sched_process_exit", OBJECT(process), BY_LINK,
	 false, false, "when processes end; their entries age out instead"},
	{"flow end, failed attempts", "flow_state", "tp_btf/inet_sock_set_state", OBJECT(flow),
	 BY_LINK, false, false,
	 "ends of TCP flows, received bytes, refused connections; flows are closed when idle"},
	/* from here on packets are counted: everything that the gate leans on is there */
	{"egress", "flow_gate", "cgroup_skb/egress", OBJECT(flow), BY_CGROUP, true, false,
	 "everything"},
	{"sockets older than the agent", "snapshot_ports", "iter/task_file", OBJECT(snapshot),
	 BY_RUNNING, false, false,
	 "who is client and who server of connections older than the agent"},
	{"sockets older than the agent", "snapshot_owners", "iter/task_file", OBJECT(snapshot),
	 BY_RUNNING, false, false, "who owns sockets older than the agent"},
	{"programs older than the agent", "snapshot_tasks", "iter/task", OBJECT(snapshot),
	 BY_ASKING, false, false,
	 "which program of a process opened a socket before the agent came"},
	{"idle and long flows", "flow_sweep", "iter/bpf_map_elem", OBJECT(sweep), BY_READING, false,
	 false,
	 "ends of datagram flows, progress of long ones; both come when the counting ends (see "
	 "detach_at_stop)"},
	/* after the gate: what it does not count yet must not look as if it had passed no gate */
	{"unattributed packets", "nic_egress", "tc", OBJECT(nic), BY_UPLINK, false, false,
	 "AF_PACKET, outer headers of tunnels, forwarded packets"},
};
const size_t program_count = sizeof(programs) / sizeof(programs[0]);

const elf_fn object_files[] = {
	OBJECT(flow),    OBJECT(connect),  OBJECT(nic),
	OBJECT(process), OBJECT(snapshot), OBJECT(sweep),
};
const size_t object_count = sizeof(object_files) / sizeof(object_files[0]);

const elf_fn object_together = together_bpf__elf_bytes;
