/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* true - what "load exec" executes: the least that a program can be. */
int
main(void)
{
	return 0;
}
