/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* keys - the key that makes pseudonyms. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "keys.h"

#define KEY_BYTES 32

static int
read_key(const char *path, unsigned char key[KEY_BYTES], struct error *why)
{
	int fd cleanup(fd_drop) = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return error_set(why, -errno, "the privacy key %s: %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || st.st_size != KEY_BYTES || read(fd, key, KEY_BYTES) != KEY_BYTES)
		return error_set(why, -EINVAL, "the privacy key %s is not %d bytes long", path,
				 KEY_BYTES);
	if (st.st_mode & 077)
		return error_set(why, -EINVAL, "others may read the privacy key: chmod 600 %s",
				 path);
	return 0;
}

static int
make_key(const char *path, unsigned char key[KEY_BYTES], struct error *why)
{
	int fd cleanup(fd_drop) = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	int error;

	if (fd >= 0 && getrandom(key, KEY_BYTES, 0) == KEY_BYTES &&
	    write(fd, key, KEY_BYTES) == KEY_BYTES && fsync(fd) == 0)
		return 0;
	error = errno;
	if (fd >= 0) /* a piece of one would be refused for ever */
		unlink(path);
	return error_set(why, -error, "cannot make the privacy key %s: %s", path, strerror(error));
}

int
key_load(unsigned char key[KEY_BYTES], const struct config *config, bool replay, struct error *why)
{
	char path[4096];
	int result;

	if (*config->privacy_key_file)
		return read_key(config->privacy_key_file, key, why);
	if (replay)
		return 0;
	if (mkdir(config->state_directory, 0700) < 0 && errno != EEXIST)
		return error_set(why, -errno, "state_directory %s: %s", config->state_directory,
				 strerror(errno));
	snprintf(path, sizeof(path), "%s/privacy.key", config->state_directory);
	result = read_key(path, key, why);
	return result == -ENOENT ? make_key(path, key, why) : result;
}

enum privacy_mode
privacy_mode_of(const char *word)
{
	if (!strcmp(word, "full"))
		return PRIVACY_FULL;
	return !strcmp(word, "drop") ? PRIVACY_DROP : PRIVACY_PSEUDONYM;
}
