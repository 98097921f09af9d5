/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* network.h - what the kinds of OCSF class 4001 (Network Activity) share. */
#ifndef EVENT_NETWORK_H
#define EVENT_NETWORK_H

#include "event/fields.h"

enum network_activity {
	NETWORK_OPEN = 1,
	NETWORK_CLOSE = 2,
	NETWORK_FAIL = 4,
	NETWORK_REFUSE = 5,
	NETWORK_TRAFFIC = 6,
};

#define NETWORK_HEAD_ROWS                                                                      \
	ACTIVITY_ROWS, PROCESS_ROWS("actor.process"), LOGIN_ROWS, CLASS_ROWS, CONNECTION_ROWS, \
		COUNT_ROW, DEVICE_ROWS, DST_ROWS

#endif /* EVENT_NETWORK_H */
