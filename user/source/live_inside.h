/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of live share. */
#ifndef PORTSNOOP_SOURCE_LIVE_INSIDE_H
#define PORTSNOOP_SOURCE_LIVE_INSIDE_H

/* Before the skeleton, which uses their types. */
#include <portsnoop/counters.h>
#include <portsnoop/counts.h>

#include "live.skel.h"
#include "source/attach.h"
#include "source/books.h"
#include "source/live.h"
#include "source/ring.h"
#include "source/type_excerpt.h"

struct live {
	struct live_bpf *skeleton;
	struct attachment attachment;
	struct books books;
	struct ring ring;
	struct live_options options;
	struct type_excerpt types; /* for what is to be loaded */
	struct shared_maps maps;
	struct bpf_link *adopter; /* iterator that gives notes to sockets that are older than the hooks */
	int cgroup2_fd;
	uint32_t functions;  /* TOLD_*: what their returns are to tell */
	uint32_t kprobes;    /* what those are to tell */
	uint32_t relied_on;  /* of both, those for which nothing else is loaded */
	int functions_error; /* why returns of functions are not used, a negative errno */
	int kprobes_error;   /* likewise */
};

/* Whether calls may be seen this way. */
bool live_wants(const struct live *live, enum live_backend way);
/* Whether the programs are those for old kernels: the walks have found out which ones this kernel takes. */
bool live_is_old(const struct live *live);
/* Opens the programs and decides what of them is loaded. 0, or a negative errno with *fault in words. */
int live_prepare(struct live *live, struct fault *fault);
/* Loads them; where the kernel refuses functions, with the next way to see calls. The same. */
int live_load(struct live *live, struct fault *fault);

#endif
