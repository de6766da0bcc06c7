/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the note of a socket is reached: note_of() makes it if it is not there, note_if_any() does not. In
 * programs with a typed socket, and, with _here, in cgroup programs: ctx is what they are given, sk its
 * bpf_sock. Macros, since all types of sockets will do.
 *
 * On old kernels (compat.h) only cgroup programs reach the storage of a socket. There notes are in a map by
 * cookie, and must be deleted: a socket ends with its last descriptor or with its last state, whichever is
 * later.
 */
#ifndef PORTSNOOP_BPF_NOTES_H
#define PORTSNOOP_BPF_NOTES_H

#include "emit.h"
#include "socket.h"

#ifndef OLD_KERNEL

#define note_of(sk)                                                                                          \
	({                                                                                                   \
		struct note *made = bpf_sk_storage_get(&notes, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);       \
                                                                                                             \
		if (!made)                                                                                   \
			count_map_full();                                                                    \
		made;                                                                                        \
	})
#define note_if_any(sk)		       bpf_sk_storage_get(&notes, sk, NULL, 0)
#define note_of_here(ctx, sk)	       note_of(sk)
#define note_if_any_here(ctx, sk)      note_if_any(sk)
#define note_of_accepted_here(ctx, sk) note_if_any(sk)
#define note_of_child(sk)	       note_of(sk)
#define note_adopt(sk)		       bpf_sk_storage_get(&notes, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE)
#define note_after_release(ctx, cookie, state)
#define note_after_state(sk, state)

#else

/* 0: nobody has asked for its cookie, and it cannot be made here. */
static __always_inline struct note *note_by_cookie(__u64 cookie)
{
	return cookie ? bpf_map_lookup_elem(&notes, &cookie) : NULL;
}

/* Of two packets that come at once the kernel may make two children, and gives up one of them. */
static __always_inline struct note *note_of_typed(const struct sock *sk)
{
	struct note *note = note_by_cookie(sk->__sk_common.skc_cookie.counter);

	return note && note->child && note->child != (__u64)sk ? NULL : note;
}

static __always_inline struct note *note_make(__u64 cookie)
{
	struct note *note = note_by_cookie(cookie), fresh = {};

	if (note || !cookie)
		return note;
	bpf_map_update_elem(&notes, &cookie, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&notes, &cookie);
}

static __always_inline struct note *note_made(__u64 cookie)
{
	struct note *note = note_make(cookie);

	if (!note && cookie)
		count_map_full();
	return note;
}

/* Of what cgroup programs have seen they will see the release, but for what the kernel made for itself. */
static __always_inline struct note *note_made_here(const struct sock *sk, __u64 cookie)
{
	struct note *note;

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock))
		return socket_protocol(sk) == IPPROTO_UDP ? NULL : note_made(cookie);
	note = note_made(cookie);
	if (note)
		note->flags |= NOTE_RELEASE_COMES;
	return note;
}

#define context_socket(ctx)                                                                                  \
	_Generic(*(ctx), struct bpf_sock                                                                     \
		 : (const struct sock *)(const void *)(ctx), struct bpf_sock_addr                            \
		 : BPF_CORE_READ((struct bpf_sock_addr_kern *)(const void *)(ctx), sk), struct bpf_sock_ops  \
		 : BPF_CORE_READ((struct bpf_sock_ops_kern *)(const void *)(ctx), sk))

#define cookie_of_typed(typed)		       (((const struct sock *)(const void *)(typed))->__sk_common.skc_cookie.counter)
#define note_of(typed)			       note_made(cookie_of_typed(typed))
#define note_if_any(typed)		       note_of_typed((const struct sock *)(const void *)(typed))
#define note_of_child(typed)		       NULL /* its cookie is its listener's still: note_of_child_here() comes later */
#define note_adopt(typed)		       note_make(cookie_of_typed(typed))
#define note_of_here(ctx, sk)		       note_made_here(context_socket(ctx), bpf_get_socket_cookie(ctx))
#define note_if_any_here(ctx, sk)	       note_by_cookie(bpf_get_socket_cookie(ctx))

static __always_inline __u64 listener_of_child(struct bpf_sock *sk, __u64 cookie)
{
	const __u64 *origin = bpf_sk_storage_get(&origins, sk, NULL, 0);
	__u64 listener = 0;

	if (origin)
		return *origin;
	origin = bpf_map_lookup_elem(&requests, &cookie);
	listener = origin ? *origin : 0;
	bpf_map_delete_elem(&requests, &cookie);
	return listener;
}

static __always_inline struct note *note_of_child_here(const struct sock *child, struct bpf_sock *sk,
						       __u64 cookie)
{
	struct note *note = note_made_here(child, cookie);

	if (!note || note->flags & (NOTE_IN | NOTE_OUT)) /* OUT: both ends opened at once */
		return note;
	note->listener = listener_of_child(sk, cookie);
	note->child = (__u64)child;
	note->state = TCP_SYN_RECV;
	note->flags |= NOTE_IN;
	note->begun_ns = bpf_ktime_get_boot_ns();
	note->port = BPF_CORE_READ(child, __sk_common.skc_num);
	if (knob_counters)
		note->netns = BPF_CORE_READ(child, __sk_common.skc_net.net, ns.inum);
	return note;
}

/* A child can be accepted before it is established, which is when its note is made. */
static __always_inline struct note *note_of_accepted(const struct sock *sk, struct bpf_sock *typed,
						     __u64 cookie)
{
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_SYN_RECV)
		return note_by_cookie(cookie);
	return note_of_child_here(sk, typed, cookie);
}
#define note_of_accepted_here(ctx, sk)	       note_of_accepted(context_socket(ctx), sk, bpf_get_socket_cookie(ctx))

/* The last descriptor is gone. A connection, and what listens, still changes its state. */
#define note_after_release(ctx, cookie, state) note_after_release_of(context_socket(ctx), cookie, state)

static __always_inline void note_after_release_of(const struct sock *sk, __u64 cookie, __u8 state)
{
	if (socket_protocol(sk) == IPPROTO_UDP || state == TCP_CLOSE)
		bpf_map_delete_elem(&notes, &cookie);
}

/* A socket that a descriptor leads to may connect or listen again. */
static __always_inline void note_after_state(const struct sock *sk, int state)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;
	const struct note *note;

	if (state != TCP_CLOSE)
		return;
	note = note_of_typed(sk);
	if (note && (note->flags & NOTE_RELEASED || !(note->flags & NOTE_RELEASE_COMES) || !sk->sk_socket))
		bpf_map_delete_elem(&notes, &cookie);
}

#endif

/* On old kernels, a child that is accepted before it is established has no note to say where it comes from.
 */
static __always_inline void note_fill_listener(struct claim *claim, const struct sock *listener)
{
#ifdef OLD_KERNEL
	if (!claim->listener)
		claim->listener = listener->__sk_common.skc_cookie.counter;
#endif
}

/* Of a listener from before, which tells its children where they come from. */
static __always_inline void note_is_of_listener(struct note *note, __u64 cookie)
{
	note->listener = cookie;
#ifdef OLD_KERNEL
	note->flags |= NOTE_ADOPTED;
#endif
}

#endif
