/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* audit_print.h - an audit's report, for people and for programs. */
#ifndef AUDIT_PRINT_H
#define AUDIT_PRINT_H

#include <stdio.h>

#include "audit.h"

void audit_print(const struct audit_report *report, FILE *out);
void audit_print_json(const struct audit_report *report, FILE *out);

#endif /* AUDIT_PRINT_H */
