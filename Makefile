# demarc: an eBPF network and access monitor for clusters under one jurisdiction.
#
# make            the program, build/demarc
# make demo       installs what is missing, builds, judges real packets in a sandbox
# make test       installs what is missing, builds, runs every suite
# make bench      what the agent costs, against no agent, installed peers and the targets
# make install    the program, its rules and its legal lists below PREFIX (/usr/local)
# make clean      removes build/
# make help       the rest
#
# V=1 shows commands; SAN=address,undefined builds with sanitizers (into build/san), SAN=thread into build/tsan;
# OUT=build/NAME builds elsewhere, BPF_EXTRA are more flags for the kernel side.

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

VERSION := 0.1.0
CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
PREFIX  ?= /usr/local
SAN     ?=
OUT     := build$(if $(SAN),/$(if $(findstring thread,$(SAN)),tsan,san))
Q       := $(if $(V),,@)
msg      = $(if $(V),,@printf '  %-5s %s\n' '$(1)' '$(patsubst build/%,%,$(2))')

REVISION := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
PACKAGES := libbpf libcjson libmaxminddb libcrypto libcap-ng zlib rdkafka
WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith \
	-Wwrite-strings -Wundef -Wvla -Wformat=2 -Werror
HARD := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fcf-protection
comma := ,
# Instrumented code makes gcc guess wrong about how long strings are.
SAN_FLAGS = -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all -Wno-format-truncation
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(if $(SAN),$(SAN_FLAGS),$(HARD)) \
	-D_GNU_SOURCE -DDEMARC_VERSION='"$(VERSION)"' -DDEMARC_REVISION='"$(REVISION)"' -Iinclude -Iuserspace -I$(OUT)/bpf \
	$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
# Of the library only what is called is linked, and tests/tsan_join.c stands before libraries' calls.
TSAN_LDFLAGS = $(if $(findstring thread,$(SAN)),-Wl$(comma)--undefined=thrd_create)
ALL_LDFLAGS = $(if $(SAN),-fsanitize=$(SAN) $(TSAN_LDFLAGS),-pie -Wl,-z,relro,-z,now)
LIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lelf -lpthread -lm

include tests/tests.mk

# The program: every userspace/*.c is a subcommand or the agent; the folders are a library.
LIB_SRC  := $(sort $(wildcard userspace/*/*.c))
MAIN_SRC := $(sort $(wildcard userspace/*.c))
BPF_SRC  := $(sort $(wildcard bpf/*.bpf.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(OUT)/%.o) $(if $(findstring thread,$(SAN)),$(OUT)/tests/tsan_join.o)
MAIN_OBJ := $(MAIN_SRC:%.c=$(OUT)/%.o)
SKELS    := $(BPF_SRC:bpf/%.bpf.c=$(OUT)/bpf/%.skel.h) $(BPF_SRC:bpf/%.bpf.c=$(OUT)/bpf/%_plain.skel.h) \
	$(OUT)/bpf/together.skel.h

all: $(OUT)/demarc

# Keep what only stands between: objects of skeletons.
.SECONDARY:

$(OUT)/demarc: $(MAIN_OBJ) $(OUT)/libdemarc.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/libdemarc.a: $(LIB_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUT)/tests/tsan_join.o: tests/tsan_join.c
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/userspace/%.o: userspace/%.c | $(SKELS)
	$(call msg,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Kernel side: no header of the kernel, no BTF of this machine; see bpf/kernel.h. Each object is
# built twice: "plain" does without fetch-and-add, for kernels before 5.12.
BPF_HEADERS := $(wildcard bpf/*.h) include/wire.h
BPF_CC = $(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-missing-declarations -Iinclude -Ibpf -idirafter /usr/include/$(shell $(CC) -print-multiarch) \
	$(BPF_EXTRA)

# All of them as one object, which loads sooner: the kernel's BTF is read once for all.
$(OUT)/bpf/together.bpf.o: $(BPF_SRC) $(BPF_HEADERS)
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D) && printf '#include "%s"\n' $(notdir $(BPF_SRC)) | $(BPF_CC) -x c -c - -o $@
	$(Q)llvm-strip -g $@

$(OUT)/bpf/%_plain.bpf.o: bpf/%.bpf.c $(BPF_HEADERS)
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D) && $(BPF_CC) -DWITHOUT_FETCH -c $< -o $@
	$(Q)llvm-strip -g $@

$(OUT)/bpf/%.bpf.o: bpf/%.bpf.c $(BPF_HEADERS)
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D) && $(BPF_CC) -c $< -o $@
	$(Q)llvm-strip -g $@

$(OUT)/bpf/%.skel.h: $(OUT)/bpf/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# Unit tests: one program for each file of tests/unit, linked with the library.
UNIT_SRC := $(sort $(wildcard tests/unit/*_test.c))
UNIT     := $(UNIT_SRC:tests/unit/%.c=$(OUT)/unit/%)

$(OUT)/unit/%: tests/unit/%.c $(OUT)/libdemarc.a
	$(call msg,TEST,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(OUT)/libdemarc.a $(LIBS) -lcmocka

# Fuzz targets: one for each file of tests/fuzz, linked with the library built for it.
FUZZ_SRC := $(sort $(wildcard tests/fuzz/*_fuzz.c))
FUZZ     := $(FUZZ_SRC:tests/fuzz/%.c=build/fuzz/%)
FUZZ_OBJ := $(LIB_SRC:%.c=build/fuzz/%.o)
FUZZ_SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZ_CC   = $(CLANG) $(filter-out $(HARD),$(ALL_CFLAGS)) -O1 $(FUZZ_SAN)
FUZZ_SECONDS ?= 60

build/fuzz/userspace/%.o: userspace/%.c | $(SKELS)
	$(call msg,FUZZ,$<)
	$(Q)mkdir -p $(@D) && $(FUZZ_CC) -MMD -MP -c $< -o $@

build/fuzz/libdemarc.a: $(FUZZ_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

build/fuzz/%: tests/fuzz/%.c build/fuzz/libdemarc.a
	$(call msg,FUZZ,$<)
	$(Q)$(FUZZ_CC) -Itests -Ibpf -fsanitize=fuzzer -o $@ $< build/fuzz/libdemarc.a $(LIBS)

# What is missing comes first, and then make starts anew: pkg-config is asked when it starts.
# KAFKA=1 streams into a broker of the demo's own, too.
demo: bootstrap-demo $(if $(KAFKA),bootstrap-kafka)
	@$(MAKE) --no-print-directory all $(if $(KAFKA),kafka-broker)
	@$(AS_ROOT) $(if $(KAFKA),env KAFKA=$(KAFKA) )deploy/demo/run.sh

# What measures: the loads, static for the lab, and the pipeline stage by stage.
BENCH_PROGRAMS := $(OUT)/bench/load $(OUT)/bench/true $(OUT)/bench/progs $(OUT)/bench/stages
BENCH_CC = $(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) -static -o $@

$(OUT)/bench/load: tests/bench/load.c tests/bench/load_once.c tests/bench/load_many.c tests/bench/load.h
	$(call msg,CC,$@)
	$(BENCH_CC) $(filter %.c,$^)

$(OUT)/bench/true $(OUT)/bench/progs: $(OUT)/bench/%: tests/bench/%.c
	$(call msg,CC,$@)
	$(BENCH_CC) $<

STAGES_OBJ := $(filter-out $(OUT)/userspace/main.o,$(MAIN_OBJ)) $(OUT)/libdemarc.a

$(OUT)/bench/stages: tests/bench/stages.c tests/bench/stages_make.c tests/bench/stages.h $(STAGES_OBJ)
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -Itests/bench $(ALL_LDFLAGS) -o $@ \
		$(filter %.c,$^) $(STAGES_OBJ) $(LIBS)

install: all
	install -D -m 0755 $(OUT)/demarc $(DESTDIR)$(PREFIX)/bin/demarc
	install -d $(DESTDIR)$(PREFIX)/share/demarc/rules/legal
	install -m 0644 rules/*.json rules/README.md $(DESTDIR)$(PREFIX)/share/demarc/rules/
	install -m 0644 rules/legal/*.json $(DESTDIR)$(PREFIX)/share/demarc/rules/legal/

clean:
	$(Q)rm -rf build

.PHONY: all demo install clean

-include $(LIB_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(UNIT:%=%.d) $(FUZZ_OBJ:.o=.d)
