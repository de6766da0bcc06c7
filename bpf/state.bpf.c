// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP state changes: outcomes of connects, arrival of connections, ends. Most transitions only update the
 * note of the socket or do nothing; records are facts. `current` is asked only where the transition is made
 * by a system call: CLOSE->SYN_SENT, CLOSE->LISTEN, LISTEN->CLOSE.
 */
#include "close.h"

#define ECONNRESET    104
#define EADDRNOTAVAIL 99
#define EPIPE	      32
#define ETIMEDOUT     110

/* Sockets that the kernel made for itself connect in whatever context they are in. */
static __always_inline bool made_by_kernel(const struct sock *sk)
{
	return !BPF_CORE_READ_BITFIELD(sk, __sk_common.skc_net_refcnt);
}

/*
 * A subflow of MPTCP ends: who let go of the socket above was put down then. Returns the subflow's note, made
 * if it is older than the trace.
 */
static __always_inline struct note *subflow_ends(struct sock *sk, __u64 cookie, struct note *note)
{
	const struct rec_task *task;

	if (!compat_is_subflow(sk))
		return note;
	task = bpf_map_lookup_elem(&subflows_released, &cookie);
	if (!task)
		return note;
	if (!note)
		note = note_of(sk);
	if (note) {
		note->flags = (note->flags & ~NOTE_TASK) | NOTE_RELEASED | (task->pid ? NOTE_TASK : 0);
		note->task = *task;
	}
	bpf_map_delete_elem(&subflows_released, &cookie);
	return note;
}

static __always_inline void connect_began(struct sock *sk)
{
	struct note *note = note_of(sk);
	struct rec_connect *rec;

	if (!note)
		return;
	note->state = TCP_SYN_SENT;
	note->flags &= ~(NOTE_IN | NOTE_AUTOBOUND);
	note->flags |= NOTE_OUT;
	note->begun_ns = bpf_ktime_get_boot_ns();
	if (!sk->__sk_common.skc_num)
		note->flags |= NOTE_AUTOBOUND;
	if (!made_by_kernel(sk) && !task_is_kernel_thread()) {
		note_owned_by_current(note);
		announce_current();
	}
	if (!knob_attempts)
		return;
	rec = emit_begin(REC_ATTEMPT, sizeof(*rec), PROBE_TRACEPOINT);
	if (!rec)
		return;
	fact_by_note(&rec->fact, note);
	fact_on_typed(&rec->fact, sk, socket_cookie_typed(sk), note);
	emit_end(rec);
}

/* A port that no SYN was sent from was none. */
static __always_inline void count_outcome(struct sock *sk, const struct note *note, int error)
{
	__u32 name = note ? note->owner_name : COUNT_NAME_UNKNOWN;
	__u64 begun_ns = note ? note->begun_ns : 0, now;
	__u16 port = bpf_ntohs(sk->__sk_common.skc_dport);

	if (!knob_counters)
		return;
	now = bpf_ktime_get_boot_ns();
	if (error)
		count_connect_error(IPPROTO_TCP, port, name, error);
	else
		count_connect(port, name, begun_ns && now > begun_ns ? now - begun_ns : 0);
	if (error == EADDRNOTAVAIL)
		count_exhausted_in(socket_netns_of_tcp(socket_as_tcp(sk)));
	else if (note && note->flags & NOTE_AUTOBOUND)
		count_assigned_in(socket_netns_of_tcp(socket_as_tcp(sk)), ASSIGNED_CONNECT);
}

/* Where port_chosen() was attached, the note has the moment since which the port was there. */
static __always_inline __u64 searched_ns(const struct rec_connect *rec, const struct note *note, int error)
{
	if (error == EADDRNOTAVAIL)
		return rec->duration_ns;
	return note->since_ns > note->begun_ns ? note->since_ns - note->begun_ns : 0;
}

/* connect(2) will say so, too, now or when it is asked again; not of a socket that nobody has any more. */
static __always_inline void note_failed(__u64 cookie, struct note *note)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (note->flags & NOTE_RELEASED)
		return;
	note->flags |= NOTE_FAILED;
	bpf_map_update_elem(&failed_connects, &cookie, &now, BPF_ANY);
}

/* The outcome. error: 0, a positive errno or CONNECT_ABORTED. */
static __always_inline void connect_ended(struct sock *sk, int error)
{
	struct note *note = note_if_any(sk);
	__u64 cookie = socket_cookie_typed(sk);
	struct rec_connect *rec;

	count_outcome(sk, note, error);
	rec = emit_begin(REC_CONNECT, sizeof(*rec), PROBE_TRACEPOINT);
	if (rec) {
		fact_by_note(&rec->fact, note);
		fact_on_typed(&rec->fact, sk, cookie, note);
		rec->fact.socket.state = error ? TCP_CLOSE : TCP_ESTABLISHED; /* what it becomes */
		rec->error = error;
		if (note && note->begun_ns)
			rec->duration_ns = fact_elapsed_ns(&rec->fact, note->begun_ns);
		if (note && note->flags & NOTE_AUTOBOUND) {
			rec->fact.header.flags |= CONNECT_F_AUTOBOUND;
			if (knob_search)
				rec->search_ns = searched_ns(rec, note, error);
		}
		emit_end(rec);
	}
	if (!note)
		return;
	note->state = error ? TCP_CLOSE : TCP_ESTABLISHED;
	if (!error) {
		note->since_ns = bpf_ktime_get_boot_ns();
		note->port = sk->__sk_common.skc_num;
	} else {
		if (note->flags & NOTE_AUTOBOUND)
			note->since_ns = 0;
		note->flags &= ~NOTE_OUT;
		note_failed(cookie, note);
	}
}

/* SYN_SENT -> CLOSE. Without an error the kernel found no port, or the socket was closed before an answer. */
static __always_inline int connect_error(struct sock *sk)
{
	int error = sk->sk_err;

	if (error)
		return error;
	return BPF_CORE_READ((struct inet_sock *)sk, inet_sport) ? CONNECT_ABORTED : EADDRNOTAVAIL;
}

/* A child was made; its note is a copy of the listener's. */
static __always_inline void child_made(struct sock *sk)
{
	struct note *note = note_of_child(sk);
	__u64 listener;

	if (!note)
		return;
	listener = note->listener;
	__builtin_memset(note, 0, sizeof(*note));
	note->listener = listener;
	note->state = TCP_SYN_RECV;
	note->flags = NOTE_IN;
	note->begun_ns = bpf_ktime_get_boot_ns();
	note->port = sk->__sk_common.skc_num;
	if (knob_counters)
		note->netns = socket_netns_of_tcp(socket_as_tcp(sk));
	socket_cookie_typed(sk);
}

static __always_inline void child_established(struct sock *sk)
{
	struct note *note = note_of(sk);
	__u64 cookie = socket_cookie_typed(sk);
	struct claim claim;

	if (!note)
		return;
	note->state = TCP_ESTABLISHED;
	note->since_ns = bpf_ktime_get_boot_ns();
	/* Accepted already, unless whoever is about to say so still looks for the claim. */
	if (!(note->flags & NOTE_ACCEPTED) || !claim_take(cookie, CLAIM_TAKEN, &claim))
		claim_put(cookie, CLAIM_ACCEPT, note->listener);
}

static __always_inline void listen_began(struct sock *sk)
{
	struct note *note = note_of(sk);
	__u64 cookie = socket_cookie_typed(sk);

	if (!note)
		return;
	note->listener = cookie;
	note->state = TCP_LISTEN;
	note->since_ns = bpf_ktime_get_boot_ns();
	note_by_current(note);
	if (sk->__sk_common.skc_num)
		return;
	note->flags |= NOTE_PORT_CLAIM;
	claim_put(cookie, CLAIM_LISTEN, 0);
}

/*
 * shutdown(2) of a listener. Its release is reported by cgroup/sock_release; a listen(2) that fails passes
 * here too, before the socket was ever hashed, which is what sets SOCK_RCU_FREE.
 */
static __always_inline void listen_ended(struct sock *sk)
{
	struct note *note = note_if_any(sk);
	__u64 cookie = socket_cookie_typed(sk);
	struct rec_close *rec;
	bool by_note;

	if (note)
		note->state = TCP_CLOSE;
	if (note && note->flags & NOTE_RELEASED)
		return;
	if (!(sk->__sk_common.skc_flags >> SOCK_RCU_FREE & 1))
		return;
	note = subflow_ends(sk, cookie, note);
	by_note = task_is_kernel_thread() || (note && note->flags & NOTE_RELEASED);
	if (!by_note)
		announce_current();
	rec = close_begin(sk, cookie, note, TCP_LISTEN, CLOSE_LOCAL, !by_note, true, PROBE_TRACEPOINT);
	if (rec)
		emit_end(rec);
}

static __always_inline enum close_reason close_reason_of(const struct sock *sk, int old_state)
{
	int error = sk->sk_err;

	if (error == ETIMEDOUT)
		return CLOSE_TIMEOUT;
	if (error == ECONNRESET || error == EPIPE)
		return CLOSE_RESET;
	switch (old_state) {
	case TCP_LAST_ACK:
		return CLOSE_PEER;
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
		return CLOSE_LOCAL;
	default:
		return CLOSE_RESET; /* straight from ESTABLISHED or CLOSE_WAIT: this side sent a reset */
	}
}

static __always_inline void close_fill_counters(struct rec_close *rec, struct sock *sk)
{
	const struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	if (!tcp)
		return;
	rec->bytes_sent = payload_sent(tcp);
	rec->bytes_received = payload_received(tcp);
	rec->retransmits = tcp->total_retrans;
	rec->rtt_us = tcp->srtt_us >> 3;
	rec->fact.header.flags |= CLOSE_F_COUNTERS;
}

static __always_inline void count_ended(struct sock *sk, __u64 cookie, const struct note *note, int old_state)
{
	const struct tcp_sock *tcp = knob_counters ? bpf_skc_to_tcp_sock(sk) : NULL;
	struct ended ended = {};
	__u64 now;

	if (!tcp)
		return;
	now = bpf_ktime_get_boot_ns();
	ended.netns = socket_netns_of_tcp(tcp);
	ended.local_port = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport);
	ended.peer_port = bpf_ntohs(sk->__sk_common.skc_dport);
	ended.reason = close_reason_of(sk, old_state);
	ended.sent = payload_sent(tcp);
	ended.received = payload_received(tcp);
	ended.retransmits = tcp->total_retrans;
	if (note && note->since_ns && now > note->since_ns)
		ended.duration_ns = now - note->since_ns;
	count_close(&ended, cookie, note);
}

static __always_inline void connection_ended(struct sock *sk, int old_state)
{
	struct note *note = note_if_any(sk);
	__u64 cookie = socket_cookie_typed(sk);
	struct rec_close *rec;

	note = subflow_ends(sk, cookie, note);
	count_ended(sk, cookie, note, old_state);
	rec = close_begin(sk, cookie, note, old_state, close_reason_of(sk, old_state), false, true,
			  PROBE_TRACEPOINT);
	if (rec) {
		close_fill_counters(rec, sk);
		if (!(note && note->flags & NOTE_RELEASED) && sk->__sk_common.skc_num)
			rec->fact.header.flags |= CLOSE_F_STILL_BOUND;
		emit_end(rec);
	}
	if (!note)
		return;
	note->state = TCP_CLOSE;
	if (note->flags & NOTE_IN)
		claim_drop_of_child(cookie);
	/* connect(AF_UNSPEC) and shutdown leave a socket that can connect again. */
	note->flags &= ~(NOTE_IN | NOTE_OUT);
	note->owner_pid = 0;
	note->owner_start_ns = 0;
}

/* What a transition means. */
enum meaning {
	MEANS_NOTHING,
	CONNECT_BEGAN,
	CONNECT_ENDED,
	CHILD_MADE,
	CHILD_ESTABLISHED,
	CONNECTION_ENDED,
	LISTEN_BEGAN,
	LISTEN_ENDED
};

/* SYN_RECV: the child of a listener, or both ends opened at once (RFC 9293, section 3.5). */
static __always_inline enum meaning meaning_of_syn_recv(struct sock *sk, int new_state)
{
	struct note *note = note_if_any(sk);

	if (note && note->flags & NOTE_OUT)
		return CONNECT_ENDED;
	if (new_state == TCP_ESTABLISHED)
		return CHILD_ESTABLISHED;
	/* It never became a connection, unless fast open had it accepted already. */
	return note && note->flags & NOTE_RELEASED ? CONNECTION_ENDED : MEANS_NOTHING;
}

static __always_inline enum meaning meaning_of(struct sock *sk, int old_state, int new_state)
{
	switch (new_state) {
	case TCP_SYN_SENT:
		return CONNECT_BEGAN;
	case TCP_LISTEN:
		return LISTEN_BEGAN;
	case TCP_SYN_RECV:
		return old_state == TCP_LISTEN ? CHILD_MADE : MEANS_NOTHING;
	case TCP_ESTABLISHED:
	case TCP_CLOSE:
		break;
	default:
		return MEANS_NOTHING;
	}
	if (old_state == TCP_SYN_RECV)
		return meaning_of_syn_recv(sk, new_state);
	if (old_state == TCP_SYN_SENT)
		return CONNECT_ENDED;
	if (old_state == TCP_LISTEN)
		return LISTEN_ENDED;
	return old_state == TCP_CLOSE ? MEANS_NOTHING : CONNECTION_ENDED;
}

/* Each meaning has one place: the verifier walks every copy again. */
static __always_inline void act_on(enum meaning meaning, struct sock *sk, int old_state, int new_state)
{
	if (meaning == CONNECT_BEGAN)
		connect_began(sk);
	else if (meaning == CONNECT_ENDED)
		connect_ended(sk, new_state == TCP_ESTABLISHED ? 0 : connect_error(sk));
	else if (meaning == CHILD_MADE)
		child_made(sk);
	else if (meaning == CHILD_ESTABLISHED)
		child_established(sk);
	else if (meaning == CONNECTION_ENDED)
		connection_ended(sk, old_state);
	else if (meaning == LISTEN_BEGAN)
		listen_began(sk);
	else if (meaning == LISTEN_ENDED)
		listen_ended(sk);
}

/* Half of all transitions say nothing. */
static __always_inline bool is_of_interest(const struct sock *sk, int new_state)
{
	return (new_state == TCP_CLOSE || new_state == TCP_ESTABLISHED || new_state == TCP_SYN_SENT ||
		new_state == TCP_SYN_RECV || new_state == TCP_LISTEN) &&
	       sk->sk_protocol == IPPROTO_TCP;
}

/* What every meaning does; here for the transitions that have none, for the second copy to see. */
static __always_inline void note_state(struct sock *sk, int new_state)
{
	struct note *note = note_if_any(sk);

	if (note)
		note->state = new_state;
}

static __always_inline void state_changes(struct sock *sk, int old_state, int new_state)
{
	enum meaning meaning = MEANS_NOTHING;

	if (is_of_interest(sk, new_state))
		meaning = meaning_of(sk, old_state, new_state);
	if (meaning != MEANS_NOTHING)
		act_on(meaning, sk, old_state, new_state);
	else if (compat_tracepoints_preempt())
		note_state(sk, new_state);
	note_after_state(sk, new_state);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_first, struct sock *sk, int old_state, int new_state)
{
	PAIR_FIRST(PAIRED_STATE, state_changes(sk, old_state, new_state));
}

/*
 * Whether the first copy was skipped, and so this one acts in its place. Where threads come between the two
 * (emit.h), the note of the socket knows: the first copy puts each state there, and no state follows itself.
 * A socket without a note is older than the trace: there is but the flag, unless the meaning makes one.
 */
static __always_inline bool first_was_skipped(struct sock *sk, enum meaning meaning, int new_state)
{
	const struct note *note;

	if (!compat_tracepoints_preempt())
		return pair_is_flagged(PAIRED_STATE);
	note = note_if_any(sk);
	if (note)
		return note->state != new_state;
	return meaning == CONNECT_BEGAN || meaning == CHILD_MADE || meaning == CHILD_ESTABLISHED ||
	       meaning == LISTEN_BEGAN || pair_is_flagged(PAIRED_STATE);
}

static __always_inline void state_changes_unless_told(struct sock *sk, int old_state, int new_state)
{
	enum meaning meaning = MEANS_NOTHING;

	if (!compat_tracepoints_preempt() && !pair_is_flagged(PAIRED_STATE))
		return;
	if (is_of_interest(sk, new_state))
		meaning = meaning_of(sk, old_state, new_state);
	if (!first_was_skipped(sk, meaning, new_state))
		return;
	count_rescued(PAIRED_STATE);
	if (meaning != MEANS_NOTHING)
		act_on(meaning, sk, old_state, new_state);
	else if (compat_tracepoints_preempt())
		note_state(sk, new_state);
	note_after_state(sk, new_state);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_second, struct sock *sk, int old_state, int new_state)
{
	state_changes_unless_told(sk, old_state, new_state);
	return 0;
}

/* For measuring: what an empty program costs under the same clock. Never attached otherwise. */
SEC("?tp_btf/inet_sock_set_state")
int BPF_PROG(state_empty, struct sock *sk, int old_state, int new_state)
{
	return 0;
}
