#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# run_folder.sh SUITE BUILD - run tests/SUITE/run.sh or run.py.
#
# Without one the suite counts as failed: a suite that vanished is not green.
set -u

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

if [ -x "$here/$1/run.sh" ]; then
	exec "$here/$1/run.sh" "$2"
elif [ -r "$here/$1/run.py" ]; then
	exec "${PYTHON:-/usr/bin/python3}" "$here/$1/run.py" "$2"
fi
suite "$1"
not_ok "$1" "no tests/$1/run.sh and no run.py"
finish
