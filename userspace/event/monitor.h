/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* monitor.h - activities of OCSF class 1008 (Event Log Activity): the monitor on itself. */
#ifndef EVENT_MONITOR_H
#define EVENT_MONITOR_H

enum monitor_activity { MONITOR_START = 6, MONITOR_STOP = 7, MONITOR_OTHER = 99 };

#endif /* EVENT_MONITOR_H */
