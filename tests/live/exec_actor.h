/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Actors that are programs of their own: this very program, run again with arguments that name a part. They
 * append their truth to a file, since memory is not shared across exec.
 *
 *   ARGV0 --as-actor TRUTH-FILE connect ADDRESS PORT PAUSE_MS...   connects, waits, closes
 *   ARGV0 --as-actor TRUTH-FILE bind ADDRESS PORT...               binds a TCP socket, closes it
 *   ARGV0 --as-actor TRUTH-FILE refused ADDRESS PORT               connects where nobody listens
 *   ARGV0 --as-actor TRUTH-FILE family ADDRESS PORT STATUS         binds, and so do a child and a grandchild;
 *                                                                  ends with STATUS
 *   ARGV0 --as-actor TALLY-FILE counts PORT ROUNDS                 as counts_actor.h says it
 * What stands behind are arguments for their own sake.
 */
#ifndef LIVE_EXEC_ACTOR_H
#define LIVE_EXEC_ACTOR_H

#include "scene.h"

#define EXEC_ACTOR_FLAG "--as-actor"

/* argv is NULL-terminated. Its part must be one of the above. */
pid_t exec_actor_start(struct scene *scene, const char *const *argv);
/* The file that this scenario's actors append to. Returns buf. */
const char *exec_actor_file(const struct scene *scene, char buf[512]);
/* Adds what they wrote to the scenario's truth. */
void exec_actor_collect(struct scene *scene);
/* The path of this program, as the kernel says it. */
const char *exec_actor_path(char buf[512]);

/* main() of such an actor. */
int exec_actor_main(int argc, char **argv);

#endif
