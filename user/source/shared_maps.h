/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that walks share with the trace that they serve; they stay the snapshot's. */
#ifndef PORTSNOOP_SOURCE_SHARED_MAPS_H
#define PORTSNOOP_SOURCE_SHARED_MAPS_H

/* Descriptors; negative: not there. */
struct shared_maps {
	int notes;
	int processes;
	int origins; /* only on old kernels (bpf/compat.h) */
};

#endif
