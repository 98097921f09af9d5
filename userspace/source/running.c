/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* running - asks the kernel which programs run now. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "probes_private.h"
#include "programs.h"

#define CHUNK 16384

static const struct bpf_link *
asker(const struct probes *probes)
{
	for (size_t i = 0; i < program_count; i++)
		if (programs[i].attach == BY_ASKING)
			return probes->links[i];
	return NULL;
}

int
probes_running(struct wire_running **out, size_t *count, void *arg)
{
	const struct bpf_link *link = asker(arg);
	int fd cleanup(fd_drop) = link ? bpf_iter_create(bpf_link__fd(link)) : -ENOTSUP;
	struct buf all cleanup(buf_fini) = {0};
	char bytes[CHUNK];
	ssize_t got;

	if (fd < 0)
		return fd;
	while ((got = read(fd, bytes, sizeof(bytes))) > 0 || (got < 0 && errno == EAGAIN))
		if (got > 0)
			buf_add(&all, bytes, (size_t)got);
	if (got < 0)
		return -errno;
	if (all.failed)
		return -ENOMEM;
	*count = all.length / sizeof(**out);
	*out = (void *)take(all.data);
	return 0;
}
