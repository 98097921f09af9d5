/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* evade_txring.c - frames through PACKET_TX_RING, with or without the queueing discipline. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "evade.h"

#define FRAME  2048
#define FRAMES 8

/* A UDP packet to order->to; its checksums stay empty, for nobody reads them. */
unsigned int
evade_fill_frame(const struct order *order, char *at)
{
	struct ether_header ether = {.ether_type = htons(ETHERTYPE_IP)};
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
	struct udphdr udp = {.source = htons(9), .len = htons(sizeof(udp) + 100)};

	memset(ether.ether_dhost, 0xff, sizeof(ether.ether_dhost));
	ip.tot_len = htons(sizeof(ip) + sizeof(udp) + 100);
	ip.daddr = order->to.sin_addr.s_addr;
	udp.dest = order->to.sin_port;
	at = mempcpy(at, &ether, sizeof(ether));
	at = mempcpy(at, &ip, sizeof(ip));
	memcpy(at, &udp, sizeof(udp));
	return sizeof(ether) + sizeof(ip) + sizeof(udp) + 100;
}

/* MORE: the device, then 1 to bypass the queueing discipline. */
int
evade_txring(const struct order *order)
{
	struct tpacket_req shape = {FRAME * FRAMES, 1, FRAME, FRAMES};
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_IP)};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), bypass = atoi(order->more[1]);
	char *ring;

	link.sll_ifindex = (int)if_nametoindex(order->more[0]);
	if (fd < 0 || bind(fd, (struct sockaddr *)&link, sizeof(link)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &shape, sizeof(shape)) < 0)
		return -errno;
	ring = mmap(NULL, FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (ring == MAP_FAILED)
		return -errno;
	for (unsigned int i = 0; i < order->count && i < FRAMES; i++) {
		struct tpacket_hdr *head = (void *)(ring + i * FRAME);

		head->tp_len = evade_fill_frame(order, (char *)head + TPACKET_HDRLEN -
							       sizeof(struct sockaddr_ll));
		head->tp_status = TP_STATUS_SEND_REQUEST;
	}
	return send(fd, NULL, 0, 0) < 0 ? -errno : 0;
}
