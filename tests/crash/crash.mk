# What runs the crash suite. tests/tests.mk includes it.

# Reduced sizes; FULL=1: all of it.
crash: all $$(LIVE_PROGRAMS) $$(CRASH_PROGRAMS)
	@$(AS_ROOT) $(PYTHON) -B tests/crash/run.py --build $(OUT) $(if $(FULL),--full) $(if $(ONLY),$(ONLY))

crash-lab: all $$(LIVE_PROGRAMS) $$(CRASH_PROGRAMS)
	@INSIDE=crash LAB_SECONDS=900 tests/lab/run.sh crash-lab $(OUT) $(or $(KERNELS),6.1)

# What agents are upgraded to: other instructions and the same layout of maps; another layout.
CRASH_PROGRAMS := $(OUT)/crash/load $(OUT)/next/demarc $(OUT)/crash/other/build/demarc

$(OUT)/crash/load: tests/crash/load.c
	$(call msg,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE $(CFLAGS) $(WARN) -static -o $@ $<

$(OUT)/next/demarc: $(OUT)/demarc
	@$(MAKE) --no-print-directory OUT=$(OUT)/next BPF_EXTRA='-mllvm -disable-block-placement' $@

$(OUT)/crash/other/build/demarc: $(OUT)/demarc tests/crash/other.sh
	@tests/crash/other.sh $(OUT)/crash/other
	@$(MAKE) --no-print-directory -C $(OUT)/crash/other OUT=build build/demarc

.PHONY: crash crash-lab
