/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* stages.h - the recording that the stages of the pipeline are measured with. */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include "base/error.h"

/*
 * Write a recording of this many flow records, half openings and half ends, of 200
 * processes: nine of ten to a thousand places in 198.18.0.0/16, and one of ten to a new
 * place in 198.19.0.0/16.
 */
int stages_make(const char *path, long records, struct error *why);

#endif /* BENCH_STAGES_H */
