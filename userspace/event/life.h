/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* life.h - activities of OCSF class 1007 (Process Activity). */
#ifndef EVENT_LIFE_H
#define EVENT_LIFE_H

enum life_activity { LIFE_LAUNCH = 1, LIFE_TERMINATE = 2 };

#endif /* EVENT_LIFE_H */
