/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* ip_test.c - addresses, prefixes and names of protocols, both ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/ip.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
	bool is_v4;
} addresses[] = {
	{"10.1.2.3", "10.1.2.3", true},
	{"0.0.0.0", "0.0.0.0", true},
	{"255.255.255.255", "255.255.255.255", true},
	{"::ffff:10.1.2.3", "10.1.2.3", true},
	{"::ffff:a01:203", "10.1.2.3", true},
	{"::", "::", false},
	{"::1", "::1", false},
	{"2001:DB8:0:0::1", "2001:db8::1", false},
	{"fe80::ffff:10.1.2.3", "fe80::ffff:a01:203", false},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	 false},
	{"", NULL, false},
	{"10.1.2", NULL, false},
	{"10.1.2.256", NULL, false},
	{"10.01.2.3", NULL, false},
	{" 10.1.2.3", NULL, false},
	{"10.1.2.3 ", NULL, false},
	{"10.1.2.3:80", NULL, false},
	{"[::1]", NULL, false},
	{"fe80::1%eth0", NULL, false},
	{"1::2::3", NULL, false},
	{"localhost", NULL, false},
};

static void
addresses_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct ip ip = ip_from_v4(1), again;
		char out[IP_TEXT];

		if (!addresses[i].printed) {
			assert_int_equal(ip_parse(&ip, addresses[i].text), -EINVAL);
			again = ip_from_v4(1);
			assert_true(ip_equal(&ip, &again));
			continue;
		}
		assert_int_equal(ip_parse(&ip, addresses[i].text), 0);
		assert_string_equal(ip_format(&ip, out), addresses[i].printed);
		assert_int_equal(ip_is_v4(&ip), addresses[i].is_v4);
		assert_int_equal(ip_parse(&again, out), 0);
		assert_true(ip_equal(&ip, &again));
	}
}

static void
v4_from_a_number(void **state)
{
	struct ip ip = ip_from_v4(0x0a010203);
	char out[IP_TEXT];

	(void)state;
	assert_string_equal(ip_format(&ip, out), "10.1.2.3");
}

static const struct {
	const char *text;
	const char *printed; /* NULL: refused */
	uint8_t bits;
} prefixes[] = {
	{"10.0.0.0/8", "10.0.0.0/8", 104},
	{"0.0.0.0/0", "0.0.0.0/0", 96},
	{"10.1.2.3", "10.1.2.3/32", 128},
	{"10.1.2.3/32", "10.1.2.3/32", 128},
	{"10.1.2.2/31", "10.1.2.2/31", 127},
	{"::ffff:1.2.3.0/120", "1.2.3.0/24", 120},
	{"::ffff:0:0/96", "0.0.0.0/0", 96},
	{"::/0", "::/0", 0},
	{"2001:db8::/32", "2001:db8::/32", 32},
	{"2001:db8::1", "2001:db8::1/128", 128},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
	 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", 128},
	{"10.0.0.1/8", NULL, 0},
	{"10.0.0.0/33", NULL, 0},
	{"10.0.0.0/104", NULL, 0},
	{"10.0.0.0/", NULL, 0},
	{"10.0.0.0/08", NULL, 0},
	{"10.0.0.0/-1", NULL, 0},
	{"10.0.0.0/+8", NULL, 0},
	{"10.0.0.0/8 ", NULL, 0},
	{"10.0.0.0/8/8", NULL, 0},
	{"10.0.0.0/255.0.0.0", NULL, 0},
	{"10.0.0.0/99999999999999999999", NULL, 0},
	{"::ffff:1.2.3.0/24", NULL, 0},
	{"::ffff:0:0/90", NULL, 0},
	{"2001:db8::/129", NULL, 0},
	{"2001:db8::1/32", NULL, 0},
	{"/8", NULL, 0},
	{"", NULL, 0},
	{"1111111111111111111111111111111111111111111111111111111111/8", NULL, 0},
};

static void
prefixes_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct prefix prefix = {.bits = 77};
		char out[PREFIX_TEXT];

		if (!prefixes[i].printed) {
			assert_int_equal(prefix_parse(&prefix, prefixes[i].text), -EINVAL);
			assert_int_equal(prefix.bits, 77);
			continue;
		}
		assert_int_equal(prefix_parse(&prefix, prefixes[i].text), 0);
		assert_int_equal(prefix.bits, prefixes[i].bits);
		assert_string_equal(prefix_format(&prefix, out), prefixes[i].printed);
	}
}

static const struct {
	const char *prefix;
	const char *ip;
	bool is_in;
} members[] = {
	{"10.0.0.0/8", "10.255.255.255", true},
	{"10.0.0.0/8", "11.0.0.0", false},
	{"10.0.0.0/8", "a00::", false},
	{"10.1.2.2/31", "10.1.2.3", true},
	{"10.1.2.2/31", "10.1.2.4", false},
	{"10.1.2.3", "10.1.2.3", true},
	{"10.1.2.3", "10.1.2.2", false},
	{"0.0.0.0/0", "255.1.1.1", true},
	{"0.0.0.0/0", "2001:db8::", false},
	{"::/0", "2001:db8::", true},
	{"::/0", "10.0.0.1", true}, /* prefixes nest in the mapped form */
	{"::/80", "10.0.0.1", true},
	{"::/81", "10.0.0.1", false},
	{"::ffff:10.0.0.0/104", "10.3.2.1", true},
	{"2001:db8:8000::/33", "2001:db8:ffff::1", true},
	{"2001:db8:8000::/33", "2001:db8:7fff::1", false},
	{"2001:db8::1/128", "2001:db8::1", true},
	{"2001:db8::1/128", "2001:db8::2", false},
};

static void
prefixes_contain(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(members); i++) {
		struct prefix prefix;
		struct ip ip;

		assert_int_equal(prefix_parse(&prefix, members[i].prefix), 0);
		assert_int_equal(ip_parse(&ip, members[i].ip), 0);
		assert_int_equal(prefix_contains(&prefix, &ip), members[i].is_in);
	}
}

static const struct {
	uint8_t number;
	const char *name;
} protocols[] = {
	{1, "icmp"},   {2, "igmp"},      {4, "ipv4"},       {6, "tcp"},  {17, "udp"},
	{33, "dccp"},  {41, "ipv6"},     {47, "gre"},       {50, "esp"}, {51, "ah"},
	{132, "sctp"}, {136, "udplite"}, {58, "ipv6-icmp"},
};

static void
protocols_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		assert_string_equal(protocol_name(protocols[i].number), protocols[i].name);
		assert_int_equal(protocol_number(protocols[i].name), protocols[i].number);
	}
	assert_int_equal(protocol_number("icmpv6"), 58);
	assert_int_equal(protocol_number("ipip"), 4);
	assert_int_equal(protocol_number("mptcp"), 0); /* the wire says tcp */
	assert_int_equal(protocol_number(""), 0);
	assert_null(protocol_name(0));
	assert_null(protocol_name(255));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_both_ways), cmocka_unit_test(v4_from_a_number),
		cmocka_unit_test(prefixes_both_ways),  cmocka_unit_test(prefixes_contain),
		cmocka_unit_test(protocols_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
