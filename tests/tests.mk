# What runs the suites; the Makefile builds them.
