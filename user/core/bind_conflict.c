/* SPDX-License-Identifier: GPL-2.0-only */
#include "core/bind_conflict.h"

#include "core/address.h"
#include "core/bind_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Of struct inet_bind_bucket's fastreuseport. */
#define FASTREUSEPORT_ANY 1

/* UDP: slots that are longer are searched by address (udp_lib_get_port()). */
#define UDP_SHORT_SLOT 10

/* What is judged: the wish in the kernel's form, and the tables. */
struct judge {
	const struct bind_wish *wish;
	const struct bind_inventory *inventory;
	struct bind_address address;
};

static struct judge judge_of(const struct bind_wish *wish, const struct bind_inventory *inventory)
{
	return (struct judge){.wish = wish,
			      .inventory = inventory,
			      .address = bind_address_of(wish->family, wish->addr, wish->v6only)};
}

static bool is_udp(const struct judge *judge)
{
	return judge->wish->protocol == IPPROTO_UDP;
}

/* --- one socket -------------------------------------------------------------------------------------------
 */

static struct bind_address address_of(const struct bind_row *row)
{
	struct bind_address address = {
		.family = row->family, .v4 = row->local_v4, .v6only = row->flags & BIND_ROW_V6ONLY};

	memcpy(address.addr, row->local_addr, sizeof(address.addr));
	return address;
}

static bool devices_meet(const struct judge *judge, const struct bind_row *row)
{
	return !judge->wish->device || !row->device || judge->wish->device == row->device;
}

/* inet_use_hash2_on_bind(): the kernel then looks only at what is filed under this address or a wildcard. */
static bool searches_by_address(const struct judge *judge)
{
	uint8_t features = judge->inventory->answer.features;

	if (is_udp(judge) || !(features & BIND_HAS_BIND2) || bind_address_is_any(&judge->address))
		return false;
	if (!bind_address_is_mapped(&judge->address))
		return true;
	return judge->address.v4 &&
	       (features & BIND_HAS_MAPPED_BIND2 || judge->inventory->habits.mapped_by_address == HABIT_YES);
}

static void map_v4(uint32_t v4, uint8_t *ret_addr)
{
	memset(ret_addr, 0, 10);
	memset(ret_addr + 10, 0xff, 2);
	memcpy(ret_addr + 12, &v4, sizeof(v4));
}

/* inet_bind2_bucket_match_addr_any() */
static bool is_filed_as_wildcard(const struct judge *judge, const struct bind_row *row)
{
	uint8_t any4[16];

	if (address_is_any(row->filed_addr))
		return true;
	map_v4(0, any4);
	if (memcmp(row->filed_addr, any4, sizeof(any4)))
		return false;
	if (judge->address.family == AF_INET)
		return true;
	return bind_address_is_mapped(&judge->address) &&
	       (judge->inventory->answer.features & BIND_HAS_MAPPED_BIND2 || row->flags & BIND_ROW_FILED_V4);
}

/* The same, inet_bind2_bucket_addr_match(), and what __inet_bhash2_conflict() leaves out. */
static bool filed_where_searched(const struct judge *judge, const struct bind_row *row)
{
	bool is_v4 = judge->address.family == AF_INET || bind_address_is_mapped(&judge->address);
	uint8_t wanted[16];

	if (is_v4 && row->flags & BIND_ROW_V6ONLY)
		return false;
	memcpy(wanted, judge->address.addr, sizeof(wanted));
	if (is_v4)
		map_v4(judge->address.v4, wanted);
	return is_filed_as_wildcard(judge, row) || !memcmp(row->filed_addr, wanted, sizeof(wanted));
}

static bool addresses_meet(const struct judge *judge, const struct bind_row *row)
{
	struct bind_address theirs = address_of(row);

	if (searches_by_address(judge))
		return filed_where_searched(judge, row);
	return bind_address_equal(&judge->address, &theirs, true, true);
}

static uint32_t user_of(const struct judge *judge, const struct bind_row *row)
{
	return row->flags & BIND_ROW_ORPHAN && judge->inventory->orphans_are_root ? 0 : row->uid;
}

static bool both_reuseport(const struct judge *judge, const struct bind_row *row)
{
	return judge->wish->reuseport && row->flags & BIND_ROW_REUSEPORT;
}

static bool both_reuseaddr(const struct judge *judge, const struct bind_row *row)
{
	return judge->wish->reuseaddr && row->flags & BIND_ROW_REUSEADDR;
}

/* inet_bind_conflict() with relax and reuseport_ok, as for a port that was asked for; UDP: it has no states
 */
static bool shares(const struct judge *judge, const struct bind_row *row)
{
	bool no_user = !is_udp(judge) && row->state == TCP_TIME_WAIT;

	if (both_reuseaddr(judge, row) && (is_udp(judge) || row->state != TCP_LISTEN))
		return true;
	return both_reuseport(judge, row) && (no_user || user_of(judge, row) == judge->wish->uid);
}

static bool conflicts_with(const struct judge *judge, const struct bind_row *row)
{
	return devices_meet(judge, row) && addresses_meet(judge, row) && !shares(judge, row);
}

/* --- TCP --------------------------------------------------------------------------------------------------
 */

/* sk_reuseport_match() */
static bool reuseport_is_fast(const struct judge *judge)
{
	const struct bind_bucket *bucket = &judge->inventory->answer.bucket;
	struct bind_address fast = {
		.family = (uint8_t)bucket->fast_family, .v4 = bucket->fast_v4, .v6only = bucket->fast_v6only};

	if (bucket->fastreuseport <= 0 || !judge->wish->reuseport || bucket->fast_uid != judge->wish->uid)
		return false;
	if (bucket->fastreuseport == FASTREUSEPORT_ANY)
		return true;
	memcpy(fast.addr, bucket->fast_addr, sizeof(fast.addr));
	return bind_address_equal(&fast, &judge->address, true, false);
}

/* The bucket remembers what its owners were when they were bound: then none of them is looked at. */
static bool bucket_lets_in(const struct judge *judge)
{
	const struct bind_bucket *bucket = &judge->inventory->answer.bucket;

	return (bucket->fastreuse > 0 && judge->wish->reuseaddr) || reuseport_is_fast(judge);
}

static bool tcp_is_free(const struct judge *judge)
{
	const struct bind_inventory *inventory = judge->inventory;

	if (!inventory->answer.bucket.found || !inventory->n_rows || bucket_lets_in(judge))
		return true;
	for (size_t i = 0; i < inventory->n_rows; i++)
		if (conflicts_with(judge, &inventory->rows[i]))
			return false;
	return true;
}

/* --- UDP --------------------------------------------------------------------------------------------------
 */

/* udp_lib_lport_inuse(), udp_lib_lport_inuse2(): the first that meets it decides, either way. */
static bool udp_chain_is_free(const struct judge *judge, enum bind_chain chain)
{
	for (size_t i = 0; i < judge->inventory->n_rows; i++) {
		const struct bind_row *row = &judge->inventory->rows[i];

		if (row->chain == chain && !both_reuseaddr(judge, row) && devices_meet(judge, row) &&
		    addresses_meet(judge, row))
			return shares(judge, row);
	}
	return true;
}

static bool slot_is_long(const struct judge *judge)
{
	const uint32_t *length = judge->inventory->answer.chain_length;

	return length[BIND_CHAIN_PORT] > UDP_SHORT_SLOT &&
	       length[BIND_CHAIN_PORT] >= length[BIND_CHAIN_ADDRESS];
}

/* inet_use_hash2_on_bind() */
static bool is_wildcard(const struct judge *judge)
{
	const struct bind_address *address = &judge->address;

	return bind_address_is_any(address) || (bind_address_is_mapped(address) && !address->v4);
}

static bool udp_searches_by_address(const struct judge *judge)
{
	bool by_address = judge->inventory->habits.udp_wildcards_by_address == HABIT_YES;

	return slot_is_long(judge) && (by_address || !is_wildcard(judge));
}

static bool udp_is_free(const struct judge *judge)
{
	if (!udp_searches_by_address(judge))
		return udp_chain_is_free(judge, BIND_CHAIN_PORT);
	return udp_chain_is_free(judge, BIND_CHAIN_ADDRESS) && udp_chain_is_free(judge, BIND_CHAIN_ANY);
}

/* Each socket once, though it may be on two of the chains. */
static bool is_looked_at(const struct judge *judge, const struct bind_row *row)
{
	struct bind_address theirs = address_of(row);

	if (!is_udp(judge))
		return true;
	if (!udp_searches_by_address(judge))
		return row->chain == BIND_CHAIN_PORT;
	if (row->chain == BIND_CHAIN_ANY)
		return !bind_address_is_any(&judge->address);
	return row->chain == BIND_CHAIN_ADDRESS &&
	       (bind_address_is_any(&judge->address) || !bind_address_is_any(&theirs));
}

/* --- the verdict ------------------------------------------------------------------------------------------
 */

/* What is refused before anybody looks at the port. */
static int early_error(const struct judge *judge)
{
	const struct bind_wish *wish = judge->wish;
	bool forbidden = wish->port < judge->inventory->answer.unprivileged_start && !wish->privileged;

	if (wish->family == AF_INET) /* __inet_bind() asks for the address first */
		return wish->address_error ? wish->address_error : forbidden ? EACCES : 0;
	if (wish->addr[0] == 0xff && !is_udp(judge)) /* multicast */
		return EINVAL;
	return forbidden ? EACCES : wish->address_error;
}

static int judge_error(const struct judge *judge)
{
	int error = early_error(judge);

	if (error)
		return error;
	return (is_udp(judge) ? udp_is_free(judge) : tcp_is_free(judge)) ? 0 : EADDRINUSE;
}

static int judge_error_with(const struct judge *judge, const struct bind_habits *habits)
{
	struct bind_inventory other = *judge->inventory;
	struct judge again = *judge;

	other.habits = *habits;
	again.inventory = &other;
	return judge_error(&again);
}

/* Whether a habit that is not known makes a difference: one is of TCP, one of UDP. */
static bool is_unknown(const struct judge *judge)
{
	struct bind_habits habits = judge->inventory->habits;

	if (habits.udp_wildcards_by_address == HABIT_UNKNOWN)
		habits.udp_wildcards_by_address = HABIT_YES;
	if (habits.mapped_by_address == HABIT_UNKNOWN)
		habits.mapped_by_address = HABIT_YES;
	return judge_error_with(judge, &habits) != judge_error(judge);
}

/* The same question with one thing changed. */
static struct bind_wish remedied(const struct bind_wish *wish, unsigned remedy, uint32_t uid)
{
	struct bind_wish other = *wish;

	other.reuseaddr |= remedy == REMEDY_REUSEADDR;
	other.reuseport |= remedy == REMEDY_REUSEPORT || remedy == REMEDY_USER;
	other.v6only |= remedy == REMEDY_V6ONLY;
	other.privileged |= remedy == REMEDY_PRIVILEGE;
	if (remedy == REMEDY_USER)
		other.uid = uid;
	return other;
}

static bool is_thinkable(const struct bind_wish *wish, unsigned remedy)
{
	return remedy != REMEDY_V6ONLY ||
	       (wish->family == AF_INET6 && address_is_any(wish->addr) && !wish->v6only);
}

#define REMEDY_LAST REMEDY_PRIVILEGE

static unsigned remedies_for_all(const struct judge *judge)
{
	unsigned remedies = 0;

	for (unsigned remedy = REMEDY_REUSEADDR; remedy <= REMEDY_LAST; remedy <<= 1) {
		struct bind_wish other = remedied(judge->wish, remedy, 0);
		struct judge again = judge_of(&other, judge->inventory);

		if (remedy != REMEDY_USER && is_thinkable(judge->wish, remedy) && !judge_error(&again))
			remedies |= remedy;
	}
	return remedies;
}

static unsigned remedies_for_one(const struct judge *judge, const struct bind_row *row)
{
	unsigned remedies = 0;

	for (unsigned remedy = REMEDY_REUSEADDR; remedy < REMEDY_PRIVILEGE; remedy <<= 1) {
		struct bind_wish other = remedied(judge->wish, remedy, user_of(judge, row));
		struct judge again = judge_of(&other, judge->inventory);

		if (is_thinkable(judge->wish, remedy) && !conflicts_with(&again, row))
			remedies |= remedy;
	}
	if (remedies & REMEDY_REUSEPORT)
		remedies &= ~(unsigned)REMEDY_USER;
	return remedies;
}

/* --- who is in the way ------------------------------------------------------------------------------------
 */

static bool is_v4(const struct bind_address *address)
{
	return address->family == AF_INET || bind_address_is_mapped(address);
}

static enum bind_overlap overlap_of(const struct judge *judge, const struct bind_row *row)
{
	const struct bind_address *ours = &judge->address;
	struct bind_address theirs = address_of(row);

	if (bind_address_is_any(&theirs) && !bind_address_is_any(ours))
		return is_v4(ours) && !is_v4(&theirs) ? OVERLAP_THEIR_DUAL : OVERLAP_THEIR_WILDCARD;
	if (bind_address_is_any(ours) && !bind_address_is_any(&theirs))
		return is_v4(&theirs) && !is_v4(ours) ? OVERLAP_OUR_DUAL : OVERLAP_OUR_WILDCARD;
	if (is_v4(ours) != is_v4(&theirs))
		return is_v4(ours) ? OVERLAP_THEIR_DUAL : OVERLAP_OUR_DUAL;
	return OVERLAP_SAME;
}

static enum bind_rule rule_of(const struct judge *judge, const struct bind_row *row)
{
	if (both_reuseport(judge, row))
		return RULE_REUSEPORT_USER;
	if (is_udp(judge))
		return RULE_UDP;
	switch (row->state) {
	case TCP_LISTEN:
		return RULE_LISTENER;
	case TCP_TIME_WAIT:
		return RULE_TIME_WAIT;
	case TCP_CLOSE:
		return RULE_BOUND;
	default:
		return RULE_CONNECTION;
	}
}

static size_t list_conflicts(const struct judge *judge, struct bind_conflict *conflicts)
{
	size_t n = 0;

	for (size_t i = 0; i < judge->inventory->n_rows; i++) {
		const struct bind_row *row = &judge->inventory->rows[i];

		if (!is_looked_at(judge, row) || !conflicts_with(judge, row))
			continue;
		if (conflicts)
			conflicts[n] = (struct bind_conflict){.row = i,
							      .overlap = overlap_of(judge, row),
							      .rule = rule_of(judge, row),
							      .remedies = remedies_for_one(judge, row)};
		n++;
	}
	return n;
}

void bind_conflict_judge(const struct bind_wish *wish, const struct bind_inventory *inventory,
			 struct bind_conflict *conflicts, struct bind_verdict *ret_verdict)
{
	struct judge judge = judge_of(wish, inventory);
	int error = judge_error(&judge);

	*ret_verdict = (struct bind_verdict){
		.error = error,
		.unknown = is_unknown(&judge),
		.n_conflicts = error == EADDRINUSE ? list_conflicts(&judge, conflicts) : 0,
		.remedies = error ? remedies_for_all(&judge) : 0,
	};
}

uint8_t bind_row_options(const struct bind_row *row)
{
	return (uint8_t)((row->flags & BIND_ROW_REUSEADDR ? SOCKOPT_REUSEADDR : 0) |
			 (row->flags & BIND_ROW_REUSEPORT ? SOCKOPT_REUSEPORT : 0) |
			 (row->flags & BIND_ROW_V6ONLY ? SOCKOPT_V6ONLY : 0));
}

uint32_t bind_row_seconds_left(const struct bind_inventory *inventory, const struct bind_row *row)
{
	if (!(row->flags & BIND_ROW_TIMER) || !inventory->hz || row->left_jiffies < 0)
		return 0;
	return (uint32_t)((uint64_t)row->left_jiffies / inventory->hz + 1);
}

unsigned bind_rule_rank(enum bind_rule rule)
{
	static const unsigned char ranks[RULE_COUNT] = {
		[RULE_LISTENER] = 0, [RULE_UDP] = 0,	    [RULE_REUSEPORT_USER] = 1,
		[RULE_BOUND] = 2,    [RULE_CONNECTION] = 3, [RULE_TIME_WAIT] = BIND_RANK_LAST,
	};

	return ranks[rule];
}

const char *bind_rule_name(enum bind_rule rule)
{
	static const char *const names[RULE_COUNT] = {
		[RULE_LISTENER] = "listener",
		[RULE_BOUND] = "bound",
		[RULE_CONNECTION] = "connection",
		[RULE_TIME_WAIT] = "time-wait",
		[RULE_UDP] = "udp",
		[RULE_REUSEPORT_USER] = "reuseport-user",
	};

	return names[rule];
}

const char *bind_overlap_name(enum bind_overlap overlap)
{
	static const char *const names[OVERLAP_COUNT] = {
		[OVERLAP_NONE] = "none",
		[OVERLAP_SAME] = "same-address",
		[OVERLAP_THEIR_WILDCARD] = "their-wildcard",
		[OVERLAP_THEIR_DUAL] = "their-dual-stack",
		[OVERLAP_OUR_WILDCARD] = "our-wildcard",
		[OVERLAP_OUR_DUAL] = "our-dual-stack",
	};

	return names[overlap];
}
