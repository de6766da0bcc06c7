/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bind, listen, connect and accept mean. The entry shims (system calls, cgroup programs, io_uring,
 * fexit, kprobes) only say how we learnt that one ended: they find the socket and the result and come
 * here. Everything here runs in the context of the process that called.
 */
#ifndef PORTSNOOP_BPF_CALLS_H
#define PORTSNOOP_BPF_CALLS_H

#include "fact.h"

#define AF_UNSPEC   0
#define EINTR	    4
#define EAGAIN	    11
#define EADDRINUSE  98
#define EISCONN	    106
#define EALREADY    114
#define EINPROGRESS 115
#define ERESTARTSYS 512 /* and up to 516: the call will be restarted or becomes EINTR */

/* A record of something that the current process did to this socket; NULL when it cannot be sent. */
static __always_inline void *call_begin(enum rec_kind kind, __u64 size, const struct sock *sk, __u64 cookie,
					const struct note *note, enum rec_probe probe)
{
	struct rec_fact *fact;

	announce_current();
	fact = emit_begin(kind, size, probe);
	if (!fact)
		return NULL;
	fact_by_current(fact);
	fact_on(fact, sk, cookie, note);
	/* Found by its descriptor, it may have ended meanwhile, and its memory be another's. */
	if (socket_cookie_of(sk) != cookie) {
		__builtin_memset(&fact->socket, 0, sizeof(fact->socket));
		fact->header.flags &= ~REC_F_SOCKET;
	}
	return fact;
}

/* A socket address that the caller passed, as far as it is needed. */
struct address {
	__u8 addr[16];
	__u16 port; /* host order */
	__u16 family;
	bool known;
	__u64 begun_ns; /* when the kernel began to search for a port */
};

enum address_place { ADDRESS_IN_KERNEL, ADDRESS_OF_CALLER };

#define ADDRESS_COPY(to, size, from, place)                                                                  \
	((place) == ADDRESS_IN_KERNEL ? bpf_probe_read_kernel(to, size, from)                                \
				      : bpf_probe_read_user(to, size, from))

/* Reads a sockaddr_in or sockaddr_in6, the kernel's copy or the caller's. False when it cannot be read. */
static __always_inline bool address_read(struct address *to, const void *from, __u64 length,
					 enum address_place place)
{
	struct {
		__u16 family, port;
		__u32 v4_or_flow;
		__u8 v6[16];
	} sa = {};

	if (!from || length < sizeof(sa.family) || ADDRESS_COPY(&sa.family, sizeof(sa.family), from, place))
		return false;
	if (sa.family == AF_INET || sa.family == AF_UNSPEC) {
		if (length < 8 || ADDRESS_COPY(&sa, 8, from, place))
			return false;
		__builtin_memcpy(to->addr, &sa.v4_or_flow, 4);
	} else if (sa.family == AF_INET6) {
		if (length < 24 || ADDRESS_COPY(&sa, 24, from, place))
			return false;
		__builtin_memcpy(to->addr, sa.v6, 16);
	}
	to->family = sa.family;
	to->port = bpf_ntohs(sa.port);
	to->known = true;
	return true;
}

/* An IPv4 address given to an IPv6 socket or the other way round stays readable: as the mapped form. */
static __always_inline void address_put(__u8 *to, const struct address *from, __u8 socket_family)
{
	if (from->family == AF_INET && socket_family == AF_INET6) {
		__builtin_memset(to, 0, 16);
		to[10] = to[11] = 0xff;
		__builtin_memcpy(to + 12, from->addr, 4);
		return;
	}
	__builtin_memcpy(to, from->addr, 16);
}

/* A bind began: the kernel's own copy of the address. */
static __always_inline void bind_asks(__u64 cookie, const struct address *address)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct asked entry = {.cookie = cookie, .port = address->port, .family = address->family};

	if (knob_search && !address->port)
		entry.begun_ns = bpf_ktime_get_boot_ns();
	__builtin_memcpy(entry.addr, address->addr, 16);
	bpf_map_update_elem(&asked, &tid, &entry, BPF_ANY);
}

static __always_inline bool bind_asked(__u64 cookie, struct address *ret_address)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct asked *entry = bpf_map_lookup_elem(&asked, &tid);

	if (!entry || entry->cookie != cookie)
		return false;
	__builtin_memcpy(ret_address->addr, entry->addr, 16);
	ret_address->port = entry->port;
	ret_address->family = entry->family;
	ret_address->begun_ns = entry->begun_ns;
	ret_address->known = true;
	return true;
}

/* Of a bind whose address is known from elsewhere: when the search began. */
static __always_inline void bind_searched(__u64 cookie, struct address *address)
{
	struct address asked;

	if (knob_search && bind_asked(cookie, &asked))
		address->begun_ns = asked.begun_ns;
}

static __always_inline void bind_fill_search(struct rec_bind *rec, const struct address *address)
{
	if (knob_search && address->begun_ns)
		rec->search_ns = fact_elapsed_ns(&rec->fact, address->begun_ns);
}

/* The bind is over: what it asked for must not be taken for what the next one asks. */
static __always_inline void bind_over(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&asked, &tid);
}

/* bind(2) got its port, or (deferred) its address without one. */
static __always_inline void bind_succeeded(const struct sock *sk, __u64 cookie, const struct note *note,
					   const struct address *address, bool deferred, enum rec_probe probe)
{
	struct rec_bind *rec;

	count_bind(sk, !deferred && address->known && !address->port);
	rec = call_begin(REC_BIND, sizeof(*rec), sk, cookie, note, probe);
	if (!rec)
		return;
	rec->fact.socket.options = socket_options(sk);
	if (address->known) {
		rec->requested_port = address->port;
		rec->fact.header.flags |= BIND_F_REQUESTED;
	}
	if (deferred)
		rec->fact.header.flags |= BIND_F_DEFERRED;
	else
		bind_fill_search(rec, address);
	emit_end(rec);
}

/* bind(2) failed: the socket's own address and port are what they were; say what was asked for. */
static __always_inline void bind_failed(const struct sock *sk, __u64 cookie, int error,
					const struct address *address, enum rec_probe probe)
{
	struct rec_bind *rec;

	count_bind_error(sk, error, address->known && !address->port);
	rec = call_begin(REC_BIND, sizeof(*rec), sk, cookie, NULL, probe);
	if (!rec)
		return;
	rec->fact.socket.options = socket_options(sk);
	rec->error = error;
	if (error == EADDRINUSE) {
		rec->fact.socket.device = BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
		bind_fill_search(rec, address);
	}
	if (address->known) {
		/* An IPv6 address given to an IPv4 socket is shown as what it is. */
		if (address->family == AF_INET6)
			rec->fact.socket.family = AF_INET6;
		address_put(rec->fact.socket.local_addr, address, rec->fact.socket.family);
		rec->fact.socket.local_port = address->port;
		rec->requested_port = address->port;
		rec->fact.header.flags |= BIND_F_REQUESTED;
	}
	emit_end(rec);
}

/* listen(2) returned. error is 0 or positive. */
static __always_inline void listen_returned(const struct sock *sk, __u64 cookie, int error,
					    enum rec_probe probe)
{
	struct claim claim;
	bool was_unbound = claim_take(cookie, CLAIM_LISTEN, &claim);
	struct rec_listen *rec;

	if (was_unbound && !error)
		count_assigned(sk, ASSIGNED_LISTEN);
	rec = call_begin(REC_LISTEN, sizeof(*rec), sk, cookie, NULL, probe);
	if (!rec)
		return;
	rec->fact.socket.options = socket_options(sk);
	rec->error = error;
	rec->backlog = BPF_CORE_READ(sk, sk_max_ack_backlog);
	if (was_unbound && !error)
		rec->fact.header.flags |= LISTEN_F_AUTOBOUND;
	emit_end(rec);
}

static __always_inline void autobind_happened(const struct sock *sk, __u64 cookie, const struct note *note,
					      __u16 flags, enum rec_probe probe)
{
	struct rec_autobind *rec;

	count_assigned(sk, flags & AUTOBIND_F_CONNECT ? ASSIGNED_CONNECT : ASSIGNED_SEND);
	rec = call_begin(REC_AUTOBIND, sizeof(*rec), sk, cookie, note, probe);
	if (!rec)
		return;
	/* Learnt late, the process that did it is the one that the note remembers. */
	if (flags & REC_F_LATE) {
		rec->fact.header.flags &= ~(REC_F_TASK | REC_F_TID);
		fact_by_note(&rec->fact, note);
	}
	rec->fact.header.flags |= flags;
	emit_end(rec);
}

/* A call that says nothing about the outcome: under way, restarted, or already connected. */
static __always_inline bool connect_is_undecided(int error)
{
	return error == EINPROGRESS || error == EALREADY || error == EISCONN || error == EINTR ||
	       (error >= ERESTARTSYS && error <= ERESTARTSYS + 4);
}

/* An attempt failed before a SYN was sent; what fails later is seen by the state change. */
static __always_inline void connect_failed_early(const struct sock *sk, __u64 cookie, int error,
						 const struct address *address, enum rec_probe probe)
{
	struct rec_connect *rec;

	if (knob_counters)
		count_connect_error(socket_protocol(sk), address->port, count_name_current(), error);
	if (error == EAGAIN && socket_protocol(sk) == IPPROTO_UDP)
		count_exhausted(sk);
	rec = call_begin(REC_CONNECT, sizeof(*rec), sk, cookie, NULL, probe);
	if (!rec)
		return;
	rec->error = error;
	if (address->known) {
		address_put(rec->fact.socket.peer_addr, address, rec->fact.socket.family);
		rec->fact.socket.peer_port = address->port;
	}
	emit_end(rec);
}

/* connect(AF_UNSPEC) made the kernel take back a port that connect or a send had assigned. */
static __always_inline void udp_port_returned(const struct sock *sk, __u64 cookie, enum rec_probe probe)
{
	struct rec_close *rec;

	rec = call_begin(REC_CLOSE, sizeof(*rec), sk, cookie, NULL, probe);
	if (!rec)
		return;
	rec->reason = CLOSE_LOCAL;
	emit_end(rec);
}

/* connect(2) returned. error is 0 or positive; address is what was asked for. */
static __always_inline void connect_returned(const struct sock *sk, int error, const struct address *address,
					     enum rec_probe probe)
{
	__u64 cookie = socket_cookie_of(sk);
	struct claim claim;

	if (socket_protocol(sk) == IPPROTO_UDP) {
		__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);

		if (claim_take(cookie, CLAIM_AUTOBIND, &claim) && port)
			autobind_happened(sk, cookie, NULL, AUTOBIND_F_CONNECT, probe);
		if (error && !connect_is_undecided(error))
			connect_failed_early(sk, cookie, error, address, probe);
		else if (!error && address->known && address->family == AF_UNSPEC && !port)
			udp_port_returned(sk, cookie, probe);
		return;
	}
	if (!error || connect_is_undecided(error) || failed_take(cookie))
		return;
	connect_failed_early(sk, cookie, error, address, probe);
}

static __always_inline void accept_fill(struct rec_accept *rec, const struct claim *claim)
{
	if (claim->time_ns)
		rec->queue_ns = fact_elapsed_ns(&rec->fact, claim->time_ns);
	rec->listener = claim->listener;
}

static __always_inline __u64 accept_queue_ns(const struct claim *claim)
{
	__u64 now = bpf_ktime_get_boot_ns();

	return claim->time_ns && now > claim->time_ns ? now - claim->time_ns : 0;
}

/* accept(2) took this connection. */
static __always_inline void accept_took(const struct sock *sk, __u64 cookie, const struct note *note,
					const struct claim *claim, enum rec_probe probe)
{
	struct rec_accept *rec;

	if (knob_counters && note)
		count_accept_noted(sk, note, accept_queue_ns(claim));
	else if (knob_counters)
		count_accept(netns_of(sk), BPF_CORE_READ(sk, __sk_common.skc_num), cookie,
			     accept_queue_ns(claim));
	rec = call_begin(REC_ACCEPT, sizeof(*rec), sk, cookie, note, probe);
	if (!rec)
		return;
	accept_fill(rec, claim);
	emit_end(rec);
}

/* The same of one that was looked up; the thread may be another one of the process. */
static __always_inline void accept_found(const struct rec_socket *socket, const struct claim *claim,
					 bool thread_known, enum rec_probe probe)
{
	struct rec_accept *rec;

	if (knob_counters)
		count_accept(socket->netns, socket->local_port, socket->cookie, accept_queue_ns(claim));
	announce_current();
	rec = emit_begin(REC_ACCEPT, sizeof(*rec), probe);
	if (!rec)
		return;
	fact_by_current(&rec->fact);
	if (!thread_known)
		rec->fact.header.flags &= ~REC_F_TID;
	rec->fact.socket = *socket;
	rec->fact.header.flags |= REC_F_SOCKET;
	accept_fill(rec, claim);
	emit_end(rec);
}

/* accept(2) took a connection, but its descriptor was gone before we could look: the peer stays absent. */
static __always_inline void accept_took_unknown(const struct sock *listener, enum rec_probe probe)
{
	struct rec_accept *rec;

	if (listener && !socket_is_ours_sk(listener))
		return;
	if (knob_counters)
		count_accept(listener ? netns_of(listener) : 0,
			     listener ? BPF_CORE_READ(listener, __sk_common.skc_num) : 0, 0, 0);
	announce_current();
	rec = emit_begin(REC_ACCEPT, sizeof(*rec), probe);
	if (!rec)
		return;
	fact_by_current(&rec->fact);
	if (listener) {
		rec->listener = socket_cookie_of(listener);
		fact_on(&rec->fact, listener, 0, NULL);
	}
	emit_end(rec);
}

/*
 * True for the one who may report that this connection was accepted. A child can be accepted in SYN_RECV,
 * before the state change that puts its claim (it is queued first; with TCP fast open long before): the entry
 * then keeps that claim away. When the change comes between our two looks, its claim is there at the third:
 * the state is stored only after the program for it has run.
 */
static __always_inline bool accept_claim(__u64 cookie, __u8 state, struct claim *ret_claim)
{
	struct claim taken = {.kind = CLAIM_TAKEN};

	if (claim_take(cookie, CLAIM_ACCEPT, ret_claim))
		return true;
	if (state == TCP_SYN_RECV && bpf_map_update_elem(&claims, &cookie, &taken, BPF_NOEXIST) == 0)
		return true;
	return claim_take(cookie, CLAIM_ACCEPT, ret_claim);
}

/*
 * A socket at one moment: it may end while we look, and its memory be another's at once. No two have the same
 * cookie, and a new one has none at first.
 */
static __always_inline bool socket_seen(const struct sock *sk, struct rec_socket *ret_socket)
{
	ret_socket->cookie = socket_cookie_of(sk);
	socket_fill(ret_socket, sk);
	return ret_socket->cookie && socket_cookie_of(sk) == ret_socket->cookie;
}

/* What a descriptor of the current process refers to. */
static __always_inline bool socket_seen_at(int fd, struct rec_socket *ret_socket)
{
	const struct sock *sk = socket_of_fd(fd);

	return sk && socket_seen(sk, ret_socket);
}

/*
 * On old kernels whoever looks at the descriptors of a process seems to share them meanwhile. The connection
 * is told then without saying which: getpeername(2) must not tell it again.
 */
static __always_inline void accept_unnamed(int fd)
{
	struct rec_socket socket = {};
	struct claim claim;

	if (compat_looks_share_files() && socket_seen_at(fd, &socket) && socket.protocol == IPPROTO_TCP)
		accept_claim(socket.cookie, socket.state, &claim);
}

/*
 * accept(2) returned descriptor fd without an address asked for, so no hook saw the new socket: look it up,
 * and believe it only if it is a connection that nobody has accepted yet. Only connections of ours have
 * claims.
 */
static __always_inline bool accept_returned(int fd, enum rec_probe probe)
{
	struct rec_socket socket = {};
	struct claim claim = {};
	int files = current_files();

	if (files & FILES_SHARED) {
		accept_unnamed(fd);
		return false;
	}
	if (!socket_seen_at(fd, &socket) || socket.protocol != IPPROTO_TCP ||
	    !accept_claim(socket.cookie, socket.state, &claim))
		return false;
	accept_found(&socket, &claim, files & FILES_OF_THREAD, probe);
	return true;
}

#endif
