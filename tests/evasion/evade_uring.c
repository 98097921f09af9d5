/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evade_uring.c - connecting and sending by io_uring, through raw system calls. */
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evade.h"

#define SOCKET        45 /* IORING_OP_SOCKET, 5.19 */
#define SEND_ZEROCOPY 47 /* IORING_OP_SEND_ZC, 6.0 */
#define ENTRIES       4
#define PAYLOAD       500

static char content[PAYLOAD];

struct ring {
	int fd;
	char *queue;
	struct io_uring_sqe *entries;
	struct io_uring_params params;
};

static int
open_ring(struct ring *ring, unsigned int flags)
{
	ring->params.flags = flags;
	ring->params.sq_thread_idle = 1000;
	ring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring->params);
	if (ring->fd < 0)
		return -errno;
	ring->queue = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd,
			   IORING_OFF_SQ_RING);
	ring->entries = mmap(NULL, ENTRIES * sizeof(*ring->entries), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQES);
	return ring->queue == MAP_FAILED || ring->entries == MAP_FAILED ? -ENOMEM : 0;
}

/* The least of the results, which is the error if there was one. The rings share one mapping. */
static int
submit(struct ring *ring, unsigned int count)
{
	uint32_t *tail = (void *)(ring->queue + ring->params.sq_off.tail);
	uint32_t *done = (void *)(ring->queue + ring->params.cq_off.tail);
	struct io_uring_cqe *cqe = (void *)(ring->queue + ring->params.cq_off.cqes);
	uint32_t *index = (void *)(ring->queue + ring->params.sq_off.array);
	unsigned int flags = IORING_ENTER_GETEVENTS;
	int worst = 0;

	if (ring->params.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	for (uint32_t i = 0; i < count; i++)
		index[i] = i;
	__atomic_store_n(tail, count, __ATOMIC_SEQ_CST);
	if (syscall(SYS_io_uring_enter, ring->fd, count, count, flags, NULL, 0) < 0)
		return -errno;
	for (int i = 0; i < 100 && __atomic_load_n(done, __ATOMIC_ACQUIRE) < count; i++)
		usleep(10000);
	for (uint32_t i = 0; i < count; i++)
		worst = cqe[i].res < worst ? cqe[i].res : worst;
	usleep(100000);
	return worst;
}

static int
connect_and_send(const struct order *order, unsigned int flags, uint8_t send_code)
{
	struct ring ring = {0};
	int result = open_ring(&ring, flags), fd = socket(AF_INET, SOCK_STREAM, 0);

	if (result < 0)
		return result;
	ring.entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_CONNECT,
		.fd = fd,
		.addr = (uintptr_t)&order->to,
		.off = sizeof(order->to),
		.flags = IOSQE_IO_LINK,
	};
	ring.entries[1] = (struct io_uring_sqe){
		.opcode = send_code,
		.fd = fd,
		.addr = (uintptr_t)content,
		.len = PAYLOAD,
	};
	return submit(&ring, 2);
}

int
evade_uring(const struct order *order)
{
	return connect_and_send(order, 0, IORING_OP_SEND);
}

int
evade_uring_sqpoll(const struct order *order)
{
	return connect_and_send(order, IORING_SETUP_SQPOLL, IORING_OP_SEND);
}

int
evade_uring_zerocopy(const struct order *order)
{
	return connect_and_send(order, 0, SEND_ZEROCOPY);
}

/* The socket has no descriptor: it lives in the ring's own table, as number 0. */
static int
open_directly(const struct order *order, unsigned int setup)
{
	const uint8_t linked = IOSQE_IO_LINK, fixed = IOSQE_FIXED_FILE;
	struct ring ring = {0};
	int result = open_ring(&ring, setup), empty = -1;

	if (result < 0)
		return result;
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &empty, 1) < 0)
		return -errno;
	ring.entries[0] = (struct io_uring_sqe){
		.opcode = SOCKET,
		.fd = AF_INET,
		.off = SOCK_STREAM,
		.file_index = 1, /* counted from 1 */
		.flags = linked,
	};
	ring.entries[1] = (struct io_uring_sqe){
		.opcode = IORING_OP_CONNECT,
		.addr = (uintptr_t)&order->to,
		.off = sizeof(order->to),
		.flags = linked | fixed,
	};
	ring.entries[2] = (struct io_uring_sqe){
		.opcode = IORING_OP_SEND,
		.addr = (uintptr_t)content,
		.len = PAYLOAD,
		.flags = fixed,
	};
	return submit(&ring, 3);
}

int
evade_uring_direct(const struct order *order)
{
	return open_directly(order, 0);
}

int
evade_uring_direct_sqpoll(const struct order *order)
{
	return open_directly(order, IORING_SETUP_SQPOLL);
}

int
evade_uring_sendmsg(const struct order *order)
{
	struct iovec part = {content, PAYLOAD};
	struct msghdr message = {
		.msg_name = (void *)(uintptr_t)&order->to,
		.msg_namelen = sizeof(order->to),
		.msg_iov = &part,
		.msg_iovlen = 1,
	};
	struct ring ring = {0};
	int result = open_ring(&ring, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (result < 0)
		return result;
	ring.entries[0] = (struct io_uring_sqe){
		.opcode = IORING_OP_SENDMSG,
		.fd = fd,
		.addr = (uintptr_t)&message,
		.len = 1,
	};
	return submit(&ring, 1);
}
