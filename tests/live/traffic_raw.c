/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* traffic_raw.c - senders below the transports: ICMP, raw IP, AF_PACKET, spoofed SYNs. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define EXPERIMENT 253 /* RFC 3692: a protocol that nobody speaks */
#define PACKET_MAX 2048

static uint16_t
checksum(const void *bytes, size_t length, uint32_t sum)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)byte[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static size_t
make_echo(const struct job *job, char *packet, uint16_t sequence)
{
	bool six = job->to.ss_family == AF_INET6;
	struct icmphdr echo = {.type = six ? ICMP6_ECHO_REQUEST : ICMP_ECHO};
	size_t length = sizeof(echo) + job->bytes;

	echo.un.echo.id = htons((uint16_t)getpid());
	echo.un.echo.sequence = htons(sequence);
	memcpy(packet, &echo, sizeof(echo));
	memcpy(packet + sizeof(echo), payload(job->bytes), job->bytes);
	if (!six) {
		echo.checksum = checksum(packet, length, 0);
		memcpy(packet, &echo, sizeof(echo));
	}
	return length;
}

static int
send_echo(const struct job *job, struct report *report, int type)
{
	bool six = job->to.ss_family == AF_INET6;
	int fd = socket(job->to.ss_family, type | SOCK_CLOEXEC,
			six ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
	struct sockaddr_storage to = job->to;
	char packet[PACKET_MAX];

	if (fd < 0)
		return -errno;
	if (job->bytes > PACKET_MAX - sizeof(struct icmphdr)) {
		close(fd);
		return -EMSGSIZE;
	}
	set_port(&to, 0);
	for (unsigned int i = 0; i < job->count; i++) {
		size_t length = make_echo(job, packet, (uint16_t)i);

		note_send(sendto(fd, packet, length, 0, (struct sockaddr *)&to, job->to_length),
			  report);
	}
	hold(job);
	close(fd);
	return 0;
}

int
send_icmp(const struct job *job, struct report *report)
{
	return send_echo(job, report, SOCK_RAW);
}

int
send_ping(const struct job *job, struct report *report)
{
	return send_echo(job, report, SOCK_DGRAM);
}

/* An IPv4 header over `inner` bytes; the kernel fills in what is left 0. */
static struct iphdr
make_header(uint32_t from, uint32_t to, uint8_t protocol, size_t inner)
{
	struct iphdr header = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = protocol,
		.tot_len = htons((uint16_t)(sizeof(header) + inner)),
		.frag_off = htons(IP_DF),
		.saddr = from,
		.daddr = to,
	};

	header.check = checksum(&header, sizeof(header), 0);
	return header;
}

int
send_raw(const struct job *job, struct report *report)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&job->to;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct sockaddr_in bare = *to;
	char packet[PACKET_MAX];
	struct iphdr header;

	if (fd < 0)
		return -errno;
	header = make_header(0, to->sin_addr.s_addr, EXPERIMENT, job->bytes);
	memcpy(packet, &header, sizeof(header));
	memcpy(packet + sizeof(header), payload(job->bytes), job->bytes);
	bare.sin_port = 0;
	for (unsigned int i = 0; i < job->count; i++)
		note_send(sendto(fd, packet, sizeof(header) + job->bytes, 0,
				 (const struct sockaddr *)&bare, sizeof(bare)),
			  report);
	hold(job);
	close(fd);
	return 0;
}

/* A UDP packet from `second` to `to`, with its Ethernet header, past every socket of IP. */
static size_t
make_frame(const struct job *job, char *frame)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&job->to;
	const struct sockaddr_in *from = (const struct sockaddr_in *)&job->second;
	struct ether_header ether = {.ether_type = htons(ETHERTYPE_IP)};
	struct udphdr udp = {.source = htons(9), .dest = to->sin_port};
	struct iphdr ip = make_header(from->sin_addr.s_addr, to->sin_addr.s_addr, IPPROTO_UDP,
				      sizeof(udp) + job->bytes);
	char *at = frame;

	memcpy(ether.ether_dhost, job->mac, sizeof(job->mac));
	udp.len = htons((uint16_t)(sizeof(udp) + job->bytes));
	at = mempcpy(at, &ether, sizeof(ether));
	at = mempcpy(at, &ip, sizeof(ip));
	at = mempcpy(at, &udp, sizeof(udp));
	at = mempcpy(at, payload(job->bytes), job->bytes);
	return (size_t)(at - frame);
}

int
send_packet(const struct job *job, struct report *report)
{
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_halen = 6};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	char frame[PACKET_MAX];
	size_t length;

	if (fd < 0)
		return -errno;
	link.sll_ifindex = (int)if_nametoindex(job->device ? job->device : "");
	memcpy(link.sll_addr, job->mac, sizeof(job->mac));
	length = make_frame(job, frame);
	for (unsigned int i = 0; i < job->count; i++)
		note_send(sendto(fd, frame, length, 0, (struct sockaddr *)&link, sizeof(link)),
			  report);
	hold(job);
	close(fd);
	return 0;
}

/* A SYN from a source that does not exist: 203.0.113.x, any port. */
static size_t
make_syn(const struct job *job, char *packet, unsigned int index)
{
	const struct sockaddr_in *to = (const struct sockaddr_in *)&job->to;
	uint32_t from = htonl(0xcb007100u | (index & 0xff));
	struct iphdr ip =
		make_header(from, to->sin_addr.s_addr, IPPROTO_TCP, sizeof(struct tcphdr));
	struct tcphdr tcp = {
		.source = htons((uint16_t)(1024 + (index >> 8) % 60000)),
		.dest = to->sin_port,
		.seq = htonl(index),
		.doff = 5,
		.syn = 1,
		.window = htons(65535),
	};
	struct {
		uint32_t from, to;
		uint16_t protocol, length;
		struct tcphdr tcp;
	} pseudo = {from, to->sin_addr.s_addr, htons(IPPROTO_TCP), htons(sizeof(tcp)), tcp};

	tcp.check = checksum(&pseudo, sizeof(pseudo), 0);
	memcpy(packet, &ip, sizeof(ip));
	memcpy(packet + sizeof(ip), &tcp, sizeof(tcp));
	return sizeof(ip) + sizeof(tcp);
}

int
send_flood(const struct job *job, struct report *report)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	struct sockaddr_in bare = *(const struct sockaddr_in *)&job->to;
	char packet[PACKET_MAX];

	if (fd < 0)
		return -errno;
	bare.sin_port = 0;
	for (unsigned int i = 0; i < job->count; i++) {
		size_t length = make_syn(job, packet, i);

		note_send(
			sendto(fd, packet, length, 0, (const struct sockaddr *)&bare, sizeof(bare)),
			report);
	}
	close(fd);
	return 0;
}
