# What runs the suites; the Makefile builds them.
#
# A suite prints a line for each test, ends with "N passed, N failed, N skipped"
# and leaves the three numbers in build/results/SUITE for tests/summary.sh.

# $$(UNIT) and the like are known only after the Makefile's end.
.SECONDEXPANSION:

include tests/kafka/kafka.mk

include tests/crash/crash.mk

PYTHON ?= /usr/bin/python3

# In the order in which they run.
SUITES      := style unit bench-test schema replay journal fuzz demo-test live evasion crash kafka lab tsan
FULL_SUITES := $(SUITES) sanitizer lab-all evasion-lab crash-lab

# Suites of privileged things: as root, or by sudo when it asks nothing.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -n)

bootstrap-demo:
	@tests/bootstrap.sh demo

bootstrap-test:
	@tests/bootstrap.sh demo test kafka lab

# pkg-config is asked when make starts, so what is missing comes first and make starts anew.
test: bootstrap-test
	@$(MAKE) --no-print-directory suites RUN='$(SUITES)' FUZZ_SECONDS=5

test-full: bootstrap-test
	@$(MAKE) --no-print-directory suites RUN='$(FULL_SUITES)' STORM=1000000 FULL=1

suites: all test-programs
	@rm -rf build/results
	@for suite in $(RUN); do \
		echo "== $$suite"; began=$$(date +%s); \
		$(MAKE) --no-print-directory $$suite; \
		echo "   $$suite took $$(($$(date +%s) - began)) s"; \
	done; echo "== sum"; tests/summary.sh $(RUN)

test-programs: $$(UNIT) $$(LIVE_PROGRAMS) $$(KAFKA_PROGRAMS) $$(CRASH_PROGRAMS)

unit: $$(UNIT)
	@tests/unit/run.sh unit $^

# Unit tests, replay and a live smoke again, watched by AddressSanitizer and
# UndefinedBehaviorSanitizer, and by ThreadSanitizer.
sanitizer:
	@$(MAKE) --no-print-directory SAN=address,undefined sanitizer-run

tsan:
	@$(MAKE) --no-print-directory SAN=thread tsan-run

sanitizer-run tsan-run: all $$(UNIT) $$(LIVE_PROGRAMS)
	@SAN=$(SAN) CC=$(CC) tests/sanitizer.sh $(@:-run=) $(OUT) $(UNIT)

style: all
	@$(PYTHON) -B tests/style/run.py $(OUT)

schema: all
	@tests/run_folder.sh schema $(OUT)

replay replay-test: all
	@tests/run_folder.sh replay $(OUT)

journal journal-test: all $$(UNIT)
	@tests/run_folder.sh journal $(OUT)

demo-test: all $(if $(FULL),kafka-broker)
	@$(AS_ROOT) $(if $(FULL),env FULL=1 )tests/run_folder.sh demo $(OUT)

live: all $$(LIVE_PROGRAMS)
	@$(AS_ROOT) $(PYTHON) tests/live/run.py --build $(OUT) $(if $(STORM),--storm $(STORM)) $(if $(ONLY),$(ONLY))

# UPDATE=1 writes what was measured here into the truth table of docs/coverage.md.
evasion: all $$(LIVE_PROGRAMS)
	@$(AS_ROOT) $(if $(UPDATE),env UPDATE=1 )$(PYTHON) -B tests/evasion/run.py --build $(OUT) $(if $(ONLY),$(ONLY))

evasion-lab: all $$(LIVE_PROGRAMS)
	@INSIDE=evasion LAB_SECONDS=900 tests/lab/run.sh evasion-lab $(OUT) $(or $(KERNELS),$(KERNELS_PLAIN))

KERNELS_PLAIN := 5.10 6.1 6.12 7.3
# See tests/lab/run.sh for what is different about the last two.
KERNELS_ALL   := $(KERNELS_PLAIN) 6.1-lockdown 6.1-nolsm

# One kernel within the budget of make test; all of them on request.
lab: all $$(LIVE_PROGRAMS)
	@tests/lab/run.sh lab $(OUT) 6.1

lab-all: all $$(LIVE_PROGRAMS)
	@tests/lab/run.sh lab-all $(OUT) $(or $(KERNELS),$(KERNELS_ALL))

test-kernels: bootstrap-test lab-all

LIVE_PROGRAMS := $(OUT)/live/traffic $(OUT)/live/become $(OUT)/live/stall.so $(OUT)/live/refuse.so $(OUT)/evasion/evade

$(OUT)/live/become: tests/live/become.c
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) -static -o $@ $<

TRAFFIC_SRC := $(sort $(wildcard tests/live/traffic*.c))

$(OUT)/live/traffic: $(TRAFFIC_SRC) tests/live/traffic.h
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) -static -o $@ $(TRAFFIC_SRC)

EVADE_SRC := $(sort $(wildcard tests/evasion/*.c))

$(OUT)/evasion/evade: $(EVADE_SRC) tests/evasion/evade.h
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) -static -o $@ $(EVADE_SRC)

$(OUT)/live/stall.so $(OUT)/live/refuse.so: $(OUT)/live/%.so: tests/live/%.c
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(filter-out -Wmissing-prototypes,$(WARN)) \
		-shared -fPIC -o $@ $< -ldl

BENCH_ROUNDS  ?= 7
BENCH_SECONDS ?= 0.5

# Measures; speed never fails. BENCH_ONLY=PART,... measures these anew (see tests/bench/run.py).
bench: bootstrap-test
	@$(MAKE) --no-print-directory all bench-programs
	@$(AS_ROOT) $(PYTHON) -B tests/bench/run.py $(OUT) --rounds $(BENCH_ROUNDS) --seconds $(BENCH_SECONDS) \
		$(if $(BENCH_ONLY),--only $(BENCH_ONLY))

# Writes what make bench found last into README.md and docs/performance.md.
bench-publish:
	@$(PYTHON) -B tests/bench/publish.py $(OUT)

# Figures that repeat, against tests/bench/baseline.json; UPDATE=1 REASON='...' stores them anew.
bench-check: bootstrap-test
	@$(MAKE) --no-print-directory all bench-programs
	@$(PYTHON) -B tests/bench/guard.py $(OUT) $(if $(UPDATE),--update "$$REASON")

bench-test:
	@$(PYTHON) -B tests/bench/guard_test.py

# Tracers that make bench compares with, where they are there.
bench-peers:
	@tests/bootstrap.sh bench

bench-programs: $$(BENCH_PROGRAMS)

# Every fuzz target for FUZZ_SECONDS, from its seeds, JOBS at a time.
fuzz: $$(FUZZ)
	@JOBS=$(or $(JOBS),1) tests/fuzz/run.sh $(FUZZ_SECONDS) $^

# What must hold before a change is handed in.
check: bootstrap-test
	@$(MAKE) --no-print-directory check-run

check-run: check-format all check-clang check-tidy check-cppcheck check-shell style sanitizer
	@tests/summary.sh style sanitizer

C_FILES = $(shell git ls-files '*.c' '*.h')

check-format:
	$(call msg,FORM,all)
	$(Q)clang-format --dry-run -Werror $(C_FILES)

check-clang:
	@$(MAKE) --no-print-directory CC=clang OUT=build/clang all
	@$(MAKE) --no-print-directory CC=clang OUT=build/clang build/clang/live/traffic build/clang/evasion/evade \
		build/clang/crash/load bench-programs

# A file is looked at again only when it changed: one stamp for each.
TIDY_SRC = $(shell git ls-files 'userspace/*.c')

check-tidy: $$(patsubst %.c,build/tidy/%.ok,$$(TIDY_SRC))

build/tidy/%.ok: %.c .clang-tidy $(wildcard include/*.h include/base/*.h) | $$(SKELS)
	$(call msg,TIDY,$<)
	$(Q)mkdir -p $(@D) && clang-tidy --quiet $< -- $(filter-out -Werror,$(ALL_CFLAGS)) 2>/dev/null && touch $@

check-cppcheck:
	$(call msg,CPPC,userspace)
	$(Q)mkdir -p build/cppcheck && cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j2 \
		--enable=warning,performance,portability --cppcheck-build-dir=build/cppcheck \
		--suppressions-list=tests/style/cppcheck.txt -D_GNU_SOURCE -DDEMARC_VERSION='""' \
		--include=tests/style/cppcheck.h -Iinclude -Iuserspace userspace

check-shell:
	$(call msg,SH,tests)
	$(Q)git ls-files '*.sh' .ci/run | xargs -r shellcheck -x -S warning -P SCRIPTDIR

help:
	@sed -n 's/^# make /make /p' Makefile
	@echo 'make check      format, both compilers, clang-tidy, cppcheck, laws of style, sanitizers'
	@echo 'make test-full  the suites of make test at full size, and fuzz, sanitizers, all kernels'
	@echo 'make unit | style | schema | replay | journal | live | evasion | lab | sanitizer | tsan    one suite (live, evasion: ONLY=NAME)'
	@echo 'make crash       kill, stop, upgrade and freeze the agent under load (ONLY=NAME; FULL=1: at full size)'
	@echo 'make test-kafka   a real broker: outages, TLS, passwords, kill -9 (ONLY=NAME; FULL=1: at full size)'
	@echo 'make test-kernels   the lab on 5.10, 6.1, 6.12, 7.3, locked down, without LSM hooks (KERNELS=6.1-lockdown: one)'
	@echo 'make bench-check    instruction counts against the stored ones (UPDATE=1 REASON=... stores)'
	@echo 'make bench-peers    installs the tracers that make bench compares with'
	@echo 'make bench-publish  writes the results of make bench into README.md and docs/performance.md'
	@echo 'make fuzz       every fuzz target for FUZZ_SECONDS (60), JOBS (1) at a time'
	@echo 'V=1 shows commands; SAN=address,undefined builds with sanitizers'

.PHONY: bench bench-publish bench-check bench-test bench-peers bench-programs
.PHONY: bootstrap-demo bootstrap-test test test-full suites test-programs unit sanitizer tsan sanitizer-run tsan-run \
	style schema replay replay-test journal journal-test demo-test live evasion evasion-lab lab lab-all test-kernels fuzz check \
	check-run check-format check-clang check-tidy check-cppcheck check-shell help

