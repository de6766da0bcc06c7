// SPDX-License-Identifier: GPL-2.0-only
/* The only definition of maps, knobs, shared state and the license. */
#include "maps.h"

struct notes_map notes SEC(".maps");
#ifdef OLD_KERNEL
struct origins_map origins SEC(".maps");
struct requests_map requests SEC(".maps");
#endif
struct claims_map claims SEC(".maps");
struct failed_map failed_connects SEC(".maps");
struct asked_map asked SEC(".maps");
struct processes_map processes SEC(".maps");
struct refused_map refused SEC(".maps");
struct threads_map calls_told SEC(".maps");
struct threads_map accepts_told SEC(".maps");
struct threads_map accepts_inside SEC(".maps");
struct subflows_map subflows_released SEC(".maps");
struct first_ran_map first_ran SEC(".maps");
struct probed_calls_map probed_calls SEC(".maps");
struct ports_told_map ports_told SEC(".maps");
struct accepters_map accepters SEC(".maps");
struct counts_map counts SEC(".maps");
struct spans_map spans SEC(".maps");
struct counts_other_map counts_other SEC(".maps");
struct spans_other_map spans_other SEC(".maps");
struct count_names_map count_names SEC(".maps");
struct cpus_map cpus SEC(".maps");
struct ring_map ring SEC(".maps");

struct control control = {};
struct counting counting = {};

const volatile bool knob_attempts = false;
const volatile bool knob_search = false;
const volatile bool knob_follow = false;
const volatile bool knob_wake_always = false;
const volatile bool knob_kprobes = false;
const volatile bool knob_counters = false;
const volatile bool knob_silent = false;
const volatile bool knob_uring_cqe = false;

char LICENSE[] SEC("license") = "GPL";
