# SPDX-License-Identifier: GPL-2.0-only
# Two commands do it all: `make run` and `make test`. `make help` lists the rest. V=1 shows the commands.

VERSION := 0.1.0
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/portsnoop
# Where the program looks for its module: ../lib/portsnoop from its own folder.
LIBDIR := $(SBINDIR)/../lib/portsnoop
DATADIR ?= $(PREFIX)/share/portsnoop
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSCONFDIR ?= /etc
HOST_ARCH := $(shell uname -m | sed 's/aarch64/arm64/')
ARCH ?= $(HOST_ARCH)
# SANITIZE=1 builds with AddressSanitizer and UBSan, WERROR=1 makes warnings errors, CC=clang works too.
# STATIC=1 links a program that needs no shared library.
SANITIZE ?= 0
STATIC ?= 0
WERROR ?= 0

# Another ARCH than this machine's is cross-built, against Debian's packages unpacked below OUT/sysroot.
OTHER_ARCH := $(if $(filter arm64,$(HOST_ARCH)),x86_64,arm64)
TRIPLET := $(patsubst arm64,aarch64,$(ARCH))-linux-gnu
ifneq ($(ARCH),$(HOST_ARCH))
ifeq ($(origin CC),default)
CC := $(TRIPLET)-gcc
AR := $(TRIPLET)-ar
endif
SYSROOT ?= $(HOME)/.cache/portsnoop-sysroot/$(ARCH)
endif

CLANG ?= clang
# Ubuntu's /usr/sbin/bpftool is a wrapper that refuses any kernel but its own: take what it wraps.
BPFTOOL ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/sbin/bpftool /usr/bin/bpftool /usr/local/sbin/bpftool) bpftool)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
Q := $(if $(V),,@)
comma := ,
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(patsubst $(OUT)/%,%,$(2));)

OUT := build/$(ARCH)-$(patsubst $(TRIPLET)-%,%,$(notdir $(firstword $(CC))))$(if $(filter 1,$(SANITIZE)),-sanitize)$(if $(filter 1,$(STATIC)),-static)
BIN := $(OUT)/portsnoop
SYSROOT_MADE := $(if $(SYSROOT),$(OUT)/sysroot/packages)
SYSROOT_FLAG := $(if $(SYSROOT),--sysroot=$(OUT)/sysroot)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla \
	-Wwrite-strings -Wno-unused-parameter -Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror)
CPPFLAGS_ALL := -Iinclude -Iuser -I$(OUT) -D_GNU_SOURCE -DPORTSNOOP_VERSION='"$(VERSION)"' $(SYSROOT_FLAG) $(CPPFLAGS)
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARNINGS) $(CFLAGS) -pthread -fno-omit-frame-pointer
LDFLAGS_ALL := -pthread $(SYSROOT_FLAG) $(LDFLAGS)
ifeq ($(SANITIZE),1)
CFLAGS_ALL += -fsanitize=address,undefined -fno-sanitize-recover=undefined -O1
LDFLAGS_ALL += -fsanitize=address,undefined
endif
# What speaks HTTP is a module that is loaded when it is needed: its libraries would cost every command milliseconds.
HTTP_LIBS := -lmicrohttpd -lgnutls -lyaml -lcrypt
LIBS := -lbpf -lelf -lz -lcap-ng -lseccomp -lncursesw -ltinfo
ifeq ($(STATIC),1)
# The linker warns of what libcap-ng's capng_change_id() asks nsswitch.conf(5): nobody here calls it.
LDFLAGS_ALL += -static
# Of what a library needs in turn a shared one knows; newer libelfs need zstd.
LIBS = -lbpf -lelf -lz -lcap-ng -lseccomp -lncursesw -ltinfo $(if $(findstring /,$(shell $(CC) $(SYSROOT_FLAG) -print-file-name=libzstd.a)),-lzstd)
endif

BPF_ARCH := $(patsubst x86_64,x86,$(ARCH))
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) -Ivmlinux/$(ARCH) -Iinclude -Ibpf \
	-Wall -Wextra -Wno-unused-parameter -Wno-missing-declarations $(if $(filter 1,$(WERROR)),-Werror)

# --- what is built from what ------------------------------------------------------------------------------

# snapshot and bind_table are skeletons of their own: one-shot commands load nothing else.
# What defines something comes before what has it as an extern.
BPF_SNAPSHOT := bpf/snapshot_sockets.bpf.c bpf/snapshot_holders.bpf.c
BPF_ALONE := $(BPF_SNAPSHOT) bpf/bind_table.bpf.c
# Only for kernels below 5.15 (bpf/compat.h), for which all but bind_table is compiled once more.
BPF_OLD := bpf/old_sockets.bpf.c
# maps comes first: libbpf 1.1's linker keeps the offset 0 of an extern that it sees before its definition.
BPF_LIVE := bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c $(BPF_ALONE) $(BPF_OLD),$(wildcard bpf/*.bpf.c))
BPF_OBJ := $(patsubst bpf/%.bpf.c,$(OUT)/bpf/%.bpf.o,$(BPF_LIVE))

CORE_SRC := $(wildcard user/core/*.c)
HTTP_FILES := $(filter-out %/http_absent.c %/http_load.c %/http_listen.c,$(wildcard user/io/http_*.c user/io/web_*.c))
HTTP_OBJ := $(HTTP_FILES:%.c=$(OUT)/%.o)
HTTP_MODULE := $(if $(filter 1,$(STATIC)),,$(OUT)/portsnoop-http.so)
HTTP_NOT := $(if $(filter 1,$(STATIC)),$(HTTP_FILES) user/io/http_load.c,user/io/http_absent.c)
IO_SRC := $(filter-out $(HTTP_NOT),$(wildcard user/io/*.c))
VIEW_SRC := $(wildcard user/view/*.c)
# What asks nsswitch.conf(5) loads shared libraries: a static program reads the files.
SYSTEM_FILES := user/system/lookup_files.c user/system/services_file.c
SYSTEM_NOT := $(if $(filter 1,$(STATIC)),user/system/lookup_nss.c,$(SYSTEM_FILES))
SYSTEM_SRC := $(filter-out $(SYSTEM_NOT),$(wildcard user/system/*.c))
USER_SRC := $(wildcard user/*.c user/command/*.c user/source/*.c user/screen/*.c) $(CORE_SRC) $(filter-out $(HTTP_FILES),$(IO_SRC)) $(VIEW_SRC) $(SYSTEM_SRC)
USER_OBJ := $(USER_SRC:%.c=$(OUT)/%.o)

# Everything that needs neither libbpf nor privileges: the subject of unit, golden and fuzz tests.
PURE_OBJ := $(patsubst %.c,$(OUT)/%.o,$(CORE_SRC) $(IO_SRC) $(VIEW_SRC) user/units.c user/loop.c user/screen/canvas.c \
	user/screen/draw.c user/screen/draw_choice.c user/screen/draw_lines.c user/source/ring.c \
	user/source/batches.c user/source/fault.c user/source/groups.c user/system/services_file.c user/system/proc.c user/system/notify.c)
PURE_LIB := $(OUT)/libportsnoop-pure.a

UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_BIN := $(UNIT_SRC:%.c=$(OUT)/%)
LIVE_SRC := $(wildcard tests/live/*.c)
LIVE_BIN := $(OUT)/tests/live/live
ARCH32 := $(if $(filter arm64,$(ARCH)),armhf,i386)
CC32 := $(if $(filter arm64,$(ARCH)),arm-linux-gnueabihf,i686-linux-gnu)-gcc
SYSROOT32 := $(HOME)/.cache/portsnoop-sysroot/$(ARCH32)
LIVE32_SRC := tests/live32/calls32.c tests/live/act.c tests/live/truth.c tests/live/scene.c
LIVE32_BIN := $(OUT)/tests/live/calls32
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
GOLDEN_BIN := $(OUT)/tests/golden/golden
BENCH_SRC := $(wildcard tests/bench/*.c)
BENCH_BIN := $(BENCH_SRC:%.c=$(OUT)/%)

.PHONY: all static check-static help deps run test test-kernels test-systemd test-install check unit golden fuzz live bench install uninstall clean format \
	layers vmlinux check-dashboard
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BIN) $(HTTP_MODULE)
	@: # or make says on standard output, before the program's own, that there is nothing to do

static: check-static
	$(Q)$(MAKE) --no-print-directory STATIC=1 all

check-static: | $(SYSROOT_MADE)
	$(Q)scripts/check-static $(CC) $(SYSROOT_FLAG)

help:
	@printf '%s\n' \
	'make run          install what is missing, build, start the live tables (ARGS="ls" for another command)' \
	'make test         install what is missing, build, run all tests' \
	'make              build only' \
	'make check        the tests that need no privileges (unit, golden, fuzz, layers)' \
	'make live         the tests with real sockets; needs root' \
	'make static       build a program without shared libraries, in $(OUT)-static (README: what it cannot do)' \
	'make ARCH=$(OTHER_ARCH)   build for another machine, in build/$(OTHER_ARCH)-gcc (make deps ARCH=... installs the compiler)' \
	'make test-kernels the live tests on other kernels, in virtual machines; 20 minutes' \
	'make test-systemd the service under a real systemd, in a virtual machine; 2 minutes' \
	'make test-install installs and builds in bare Debian systems; slow, needs root and the network' \
	'make bench        measurements, side by side with other tracers; needs root' \
	'make install      into $(PREFIX) (PREFIX=, DESTDIR=)' \
	'make check-dashboard  types of deploy/grafana against npm'\''s @grafana/schema; for developers' \
	'make format       lay out the sources with clang-format' \
	'make vmlinux      make the kernel type headers anew' \
	'make clean        remove build/'

# --- the two commands -------------------------------------------------------------------------------------

deps:
	$(Q)scripts/install-deps build $(if $(SYSROOT),cross)

run: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)$(SUDO) $(BIN) $(ARGS)

test:
	$(Q)scripts/install-deps build test
	$(Q)$(MAKE) --no-print-directory WERROR=1 all
	$(Q)OUT=$(OUT) SUDO=$(SUDO) scripts/run-tests

check unit golden fuzz live:
	$(Q)OUT=$(OUT) SUDO=$(SUDO) scripts/run-tests $@

layers:
	$(Q)scripts/check-layers

check-dashboard:
	$(Q)scripts/check-dashboard

# What cannot be installed or fetched is skipped by the last step, with the reason.
test-kernels:
	$(Q)scripts/install-deps build
	$(Q)scripts/install-deps vm || true
	$(Q)scripts/install-deps cross || true
	$(Q)tests/vm/build
	$(Q)OUT=$(OUT) tests/vm/run $(ARGS)

test-systemd:
	$(Q)scripts/install-deps build test vm
	$(Q)$(MAKE) --no-print-directory all
	$(Q)OUT=$(OUT) tests/vm/systemd

test-install:
	$(Q)$(SUDO) tests/install/debootstrap

bench:
	$(Q)scripts/install-deps build test bench
	$(Q)$(MAKE) --no-print-directory all bench-programs
	$(Q)$(SUDO) env OUT=$(OUT) tests/bench/run

# --- kernel side ------------------------------------------------------------------------------------------

$(OUT)/bpf/%.bpf.o: bpf/%.bpf.c vmlinux/$(ARCH)/vmlinux.h Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/bpf/live.o: $(BPF_OBJ)
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

# The same sources twice: for walks that serve a trace, and for those that are all there is.
$(OUT)/bpf/lean_%.bpf.o: bpf/snapshot_%.bpf.c vmlinux/$(ARCH)/vmlinux.h Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -DSNAPSHOT_LEAN -MMD -MP -c $< -o $@

# And once more with MPTCP.
$(OUT)/bpf/lean_mptcp.bpf.o: bpf/snapshot_holders.bpf.c vmlinux/$(ARCH)/vmlinux.h Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -DSNAPSHOT_LEAN -DSNAPSHOT_MPTCP -MMD -MP -c $< -o $@

$(OUT)/bpf/snapshot.o: $(patsubst bpf/%.bpf.c,$(OUT)/bpf/%.bpf.o,$(BPF_SNAPSHOT))
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(OUT)/bpf/old/%.bpf.o: bpf/%.bpf.c vmlinux/$(ARCH)/vmlinux.h Makefile
	@mkdir -p $(@D)
	$(call say,BPF,$@)$(CLANG) $(BPF_CFLAGS) -DOLD_KERNEL -MMD -MP -c $< -o $@

$(OUT)/bpf/old_live.o: $(patsubst bpf/%.bpf.c,$(OUT)/bpf/old/%.bpf.o,$(BPF_LIVE) $(BPF_OLD))
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(OUT)/bpf/old_snapshot.o: $(patsubst bpf/%.bpf.c,$(OUT)/bpf/old/%.bpf.o,$(BPF_SNAPSHOT))
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(OUT)/bpf/bind_table.o: %.o: %.bpf.o
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(OUT)/bpf/lean_%.o: $(OUT)/bpf/lean_%.bpf.o
	$(call say,BPFLINK,$@)$(BPFTOOL) gen object $@ $^

$(OUT)/%.skel.h: $(OUT)/bpf/%.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# Light skeletons: the kernel resolves types and relocations, not libbpf.
$(OUT)/lean_%.skel.h: $(OUT)/bpf/lean_%.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton -L $< name lean_$*_bpf > $@

$(OUT)/bind_table.skel.h: $(OUT)/bpf/bind_table.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton -L $< name bind_table_bpf > $@

# --- user side --------------------------------------------------------------------------------------------

SKELETONS := $(patsubst %,$(OUT)/%.skel.h,live snapshot old_live old_snapshot lean_sockets lean_holders lean_mptcp bind_table)
$(filter-out $(PURE_OBJ),$(patsubst %.c,$(OUT)/%.o,$(wildcard user/source/*.c) tests/live/relocations.c)): | $(SKELETONS)

ifneq ($(SYSROOT),)
.PHONY: sysroot
sysroot: $(SYSROOT_MADE)
$(SYSROOT_MADE): scripts/make-sysroot
	$(Q)scripts/make-sysroot $(ARCH) $(SYSROOT)
	@mkdir -p $(OUT) && ln -sfn $(abspath $(SYSROOT)) $(OUT)/sysroot && touch $@
endif

$(OUT)/%.o: %.c Makefile | $(SYSROOT_MADE)
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BIN): $(USER_OBJ)
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) $^ $(LIBS) -o $@

$(HTTP_OBJ): CFLAGS_ALL += -fPIC
$(OUT)/portsnoop-http.so: $(HTTP_OBJ)
	$(call say,LINK,$@)$(CC) -shared $(LDFLAGS_ALL) $^ -lz $(HTTP_LIBS) -o $@

$(PURE_LIB): $(PURE_OBJ)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# --- tests ------------------------------------------------------------------------------------------------

.PHONY: unit-programs live-programs live32 bench-programs fuzz-programs
unit-programs: $(UNIT_BIN) $(if $(wildcard tests/golden/golden.c),$(GOLDEN_BIN))
live-programs: $(LIVE_BIN) live32
bench-programs: $(BENCH_BIN)

$(OUT)/tests/unit/%: $(OUT)/tests/unit/%.o $(PURE_LIB)
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) $^ -lcmocka -lz $(HTTP_LIBS) -o $@

# Every allocation in the program goes through the test, which lets it fail.
$(OUT)/tests/unit/test_allocation: LDFLAGS_ALL += \
	$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc aligned_alloc strdup strndup)

$(GOLDEN_BIN): $(OUT)/tests/golden/golden.o $(PURE_LIB)
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) $^ -lz $(HTTP_LIBS) -o $@

# What the tests of binds ask, as the program does, and then try.
LIVE_OBJ := $(patsubst %.c,$(OUT)/%.o,$(LIVE_SRC) user/source/bind_table.c user/source/fault.c \
	user/source/kernel_types.c user/source/type_excerpt.c \
	user/system/bind_probe.c user/system/bind_trial.c)
$(LIVE_BIN): $(LIVE_OBJ) $(PURE_LIB)
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) $^ -ljansson $(LIBS) -o $@

# A 32-bit program that the live scenarios run, where there is a compiler for one; they say when it is missing.
live32:
	$(Q)if ! command -v $(CC32) >/dev/null; then \
		printf '  %-8s %s\n' SKIP 'tests/live/calls32: no $(CC32)'; \
	elif ! scripts/make-sysroot $(ARCH32) $(SYSROOT32); then \
		printf '  %-8s %s\n' SKIP 'tests/live/calls32: no C library for $(ARCH32)'; \
	else \
		$(MAKE) --no-print-directory $(if $(V),,-s) $(LIVE32_BIN); \
	fi

$(LIVE32_BIN): $(LIVE32_SRC) $(wildcard tests/live/*.h) Makefile
	@mkdir -p $(@D)
	$(call say,CC32,$@)$(CC32) -static --sysroot=$(SYSROOT32) -D_GNU_SOURCE -std=gnu11 $(WARNINGS) -O2 -g \
		$(LIVE32_SRC) -o $@

$(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o $(PURE_LIB)
	$(call say,LINK,$@)$(CC) $(LDFLAGS_ALL) $^ $(LIBS) -o $@

# Fuzz targets are whole programs of one compiler run: libFuzzer's instrumentation must see the subject too.
FUZZ_OUT := build/fuzz
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(FUZZ_OUT)/%,$(FUZZ_SRC))
fuzz-programs: $(FUZZ_BIN)
$(FUZZ_OUT)/%: tests/fuzz/%.c $(CORE_SRC) $(IO_SRC) $(VIEW_SRC) $(wildcard user/*/*.h include/portsnoop/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)$(CLANG) $(CPPFLAGS_ALL) -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined $(filter %.c,$^) -lz $(HTTP_LIBS) -o $@

# --- the rest ---------------------------------------------------------------------------------------------

install: $(BIN) $(HTTP_MODULE)
	install -D -m 0755 $(BIN) $(DESTDIR)$(SBINDIR)/portsnoop
	install -d $(DESTDIR)$(LIBDIR)
	$(if $(HTTP_MODULE),install -m 0644 $(HTTP_MODULE) $(DESTDIR)$(LIBDIR))
	for page in man/*.[1-8]; do install -D -m 0644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	install -D -m 0644 docs/schema.json $(DESTDIR)$(DOCDIR)/schema.json
	install -D -m 0644 docs/kernels.md $(DESTDIR)$(DOCDIR)/kernels.md
	install -D -m 0644 docs/metrics.md $(DESTDIR)$(DOCDIR)/metrics.md
	install -D -m 0644 docs/monitoring.md $(DESTDIR)$(DOCDIR)/monitoring.md
	install -D -m 0644 README.md $(DESTDIR)$(DOCDIR)/README.md
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(DATADIR)
	sed 's,/usr/local/sbin,$(SBINDIR),' deploy/portsnoop-export.service >$(DESTDIR)$(UNITDIR)/portsnoop-export.service
	chmod 0644 $(DESTDIR)$(UNITDIR)/portsnoop-export.service
	[ -e $(DESTDIR)$(SYSCONFDIR)/default/portsnoop-export ] || \
		install -D -m 0644 deploy/portsnoop-export.default $(DESTDIR)$(SYSCONFDIR)/default/portsnoop-export
	install -m 0644 deploy/prometheus/*.yml deploy/grafana/*.json deploy/kubernetes/*.yaml $(DESTDIR)$(DATADIR)

# What was set in the environment file stays.
uninstall:
	rm -f $(DESTDIR)$(SBINDIR)/portsnoop
	for page in man/*.[1-8]; do rm -f $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/}; done
	rm -f $(DESTDIR)$(UNITDIR)/portsnoop-export.service
	rm -rf $(DESTDIR)$(DOCDIR) $(DESTDIR)$(DATADIR) $(DESTDIR)$(LIBDIR)

format:
	git ls-files '*.c' '*.h' ':!vmlinux' | xargs clang-format -i

vmlinux:
	scripts/make-vmlinux x86_64
	scripts/make-vmlinux arm64

clean:
	rm -rf build

-include $(wildcard $(OUT)/bpf/*.d $(OUT)/bpf/old/*.d)
-include $(wildcard $(OUT)/user/*.d $(OUT)/user/*/*.d $(OUT)/tests/*/*.d)
