/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evade_xdp.c - frames through an AF_XDP socket in copy mode: past IP, past the queueing
 * discipline. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "evade.h"

#define FRAME  2048
#define FRAMES 8

/* Memory and the rings that a socket must have, whether it uses them or not. */
static int
give_memory(int fd, char *memory)
{
	struct xdp_umem_reg area = {
		.addr = (uintptr_t)memory, .len = FRAME * FRAMES, .chunk_size = FRAME};
	const int entries = FRAMES;

	if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &area, sizeof(area)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof(entries)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries)) < 0 ||
	    setsockopt(fd, SOL_XDP, XDP_TX_RING, &entries, sizeof(entries)) < 0)
		return -errno;
	return 0;
}

struct ring {
	struct xdp_desc *descs;
	uint32_t *producer, *consumer;
};

/* Before bind(): later no kernel maps it any more. */
static int
map_ring(int fd, struct ring *ring)
{
	struct xdp_mmap_offsets offsets;
	socklen_t length = sizeof(offsets);
	char *at;

	if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) < 0)
		return -errno;
	at = mmap(NULL, offsets.tx.desc + FRAMES * sizeof(*ring->descs), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, fd, XDP_PGOFF_TX_RING);
	if (at == MAP_FAILED)
		return -errno;
	ring->descs = (void *)(at + offsets.tx.desc);
	ring->producer = (void *)(at + offsets.tx.producer);
	ring->consumer = (void *)(at + offsets.tx.consumer);
	return 0;
}

static int
transmit(const struct order *order, int fd, const struct ring *ring, char *memory)
{
	for (uint32_t i = 0; i < order->count; i++)
		ring->descs[i] = (struct xdp_desc){
			.addr = i * FRAME, .len = evade_fill_frame(order, memory + i * FRAME)};
	__atomic_store_n(ring->producer, order->count, __ATOMIC_RELEASE);
	for (int i = 0; i < 100; i++) {
		if (__atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE) == order->count)
			return 0;
		if (sendto(fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN &&
		    errno != EBUSY)
			return -errno;
		usleep(1000);
	}
	return -ETIMEDOUT;
}

/* MORE: the device. */
int
evade_xdp(const struct order *order)
{
	struct sockaddr_xdp link = {.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY};
	char *memory = mmap(NULL, FRAME * FRAMES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = socket(AF_XDP, SOCK_RAW, 0), result;
	struct ring ring = {0};

	if (fd < 0 || memory == MAP_FAILED)
		return -errno;
	if (order->count > FRAMES)
		return -EINVAL;
	result = give_memory(fd, memory);
	if (result == 0)
		result = map_ring(fd, &ring);
	if (result < 0)
		return result;
	link.sxdp_ifindex = if_nametoindex(order->more[0]);
	if (bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0)
		return -errno;
	result = transmit(order, fd, &ring, memory);
	close(fd);
	return result;
}
