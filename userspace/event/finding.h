/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* finding.h - activities of OCSF class 2004 (Detection Finding). */
#ifndef EVENT_FINDING_H
#define EVENT_FINDING_H

enum finding_activity { FINDING_CREATE = 1, FINDING_UPDATE = 2, FINDING_CLOSE = 3 };

#endif /* EVENT_FINDING_H */
