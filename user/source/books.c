/* SPDX-License-Identifier: GPL-2.0-only */
#include "source/books.h"

#include "source/kprobes.h"
#include "system/proc.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define NOBODY_RESCUES PAIRED_COUNT

/* Programs whose misses are losses, unless the second copy of the pair acted in place of the first. */
static const struct {
	const char *name;
	enum paired_program pair;
} counted[] = {
	{"state_first", PAIRED_STATE},
	{"refuse_first", PAIRED_REFUSE},
	{"exec_first", PAIRED_EXEC},
	{"exit_first", PAIRED_EXIT},
	{"fork_first", PAIRED_FORK},
	{"uring_first", PAIRED_URING},
	{"fexit_bind4_first", PAIRED_BIND4},
	{"fexit_bind6_first", PAIRED_BIND6},
	{"fexit_listen_first", PAIRED_LISTEN},
	{"fexit_connect_tcp_first", PAIRED_CONNECT_TCP},
	{"fexit_connect_udp_first", PAIRED_CONNECT_UDP},
	{"fexit_autobind_first", PAIRED_AUTOBIND},
	{"fexit_accept_of4_first", PAIRED_ACCEPT},
	{"fexit_accept_of2_first", PAIRED_ACCEPT}, /* the one or the other */
	{"fexit_bind_call_first", PAIRED_BIND_CALL},
	{"fexit_listen_call_first", PAIRED_LISTEN_CALL},
	{"fexit_connect_call_first", PAIRED_CONNECT_CALL},
	{"kprobe_accept", NOBODY_RESCUES},
	{"syscall_bind", NOBODY_RESCUES},
	{"syscall_listen", NOBODY_RESCUES},
	{"syscall_connect", NOBODY_RESCUES},
	{"syscall_accept3", NOBODY_RESCUES},
	{"syscall_accept4", NOBODY_RESCUES},
};

_Static_assert(sizeof(counted) / sizeof(counted[0]) < BOOKS_PROGRAMS, "not every program is counted");

static size_t mapped_size(unsigned n_cpus)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n_cpus * sizeof(struct cpu_counters) + page - 1) & ~(page - 1);
}

/* recursion_misses came with 5.12 (9ed9e9ba2337): an older kernel returns a shorter struct. */
static bool read_misses(int fd, uint64_t *ret_misses)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return false;
	*ret_misses = info.recursion_misses;
	return length >= offsetof(struct bpf_prog_info, recursion_misses) + sizeof(info.recursion_misses);
}

static int program_fd(const struct bpf_object *object, const char *name)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, name);
	int fd = program ? bpf_program__fd(program) : -1;

	return fd < 0 ? -1 : fd;
}

int books_open(struct books *books, struct bpf_object *object, int cpus_fd, unsigned n_cpus)
{
	void *page = mmap(NULL, mapped_size(n_cpus), PROT_READ, MAP_SHARED, cpus_fd, 0);
	unsigned n = 0;
	uint64_t misses;

	if (page == MAP_FAILED)
		return -errno;
	*books = (struct books){.cpus = page, .n_cpus = n_cpus, .misses_known = true, .object = object};
	books->begin_fd = program_fd(object, "kprobe_begin");
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++) {
		int fd = program_fd(object, counted[i].name);

		if (fd < 0)
			continue;
		books->misses_known &= read_misses(fd, &misses);
		books->programs[n++] = (struct books_program){.fd = fd, .pair = counted[i].pair};
	}
	books->programs[n].fd = -1;
	books->told_ns = proc_boottime_ns();
	return 0;
}

void books_close(struct books *books)
{
	if (books->cpus)
		munmap((void *)(uintptr_t)books->cpus, mapped_size(books->n_cpus));
	books->cpus = NULL;
}

bool books_can_read(const struct books *books)
{
	struct bpf_prog_info info = {};
	uint32_t length = sizeof(info);

	return books->programs[0].fd < 0 ||
	       bpf_obj_get_info_by_fd(books->programs[0].fd, &info, &length) == 0;
}

/* Of all processors: calls of functions under kprobes. */
struct calls {
	uint64_t begun, ended, unended, unbegun;
};

static struct calls add_up_calls(const struct books *books)
{
	struct calls calls = {0};

	for (unsigned cpu = 0; cpu < books->n_cpus; cpu++) {
		const struct cpu_counters *counters = &books->cpus[cpu];

		calls.begun += __atomic_load_n(&counters->calls_begun, __ATOMIC_RELAXED);
		calls.ended += __atomic_load_n(&counters->calls_ended, __ATOMIC_RELAXED);
		calls.unended += __atomic_load_n(&counters->calls_unended, __ATOMIC_RELAXED);
		calls.unbegun += __atomic_load_n(&counters->calls_unbegun, __ATOMIC_RELAXED);
	}
	return calls;
}

void books_look_at_calls(struct books *books)
{
	struct calls calls = add_up_calls(books);

	if (calls.begun > calls.ended + calls.unended + books->given_up)
		books->given_up += kprobes_give_up(books->object);
}

/* Kernels before 6.7 do not count these misses; the ends of such calls show most of them. */
static uint64_t unseen_calls(const struct books *books, const struct calls *calls)
{
	uint64_t misses;

	if (books->begin_fd < 0 || !read_misses(books->begin_fd, &misses))
		return 0;
	return misses > calls->unbegun ? misses : calls->unbegun;
}

static uint64_t rescued(const struct books *books, enum paired_program pair)
{
	uint64_t count = 0;

	for (unsigned cpu = 0; pair != NOBODY_RESCUES && cpu < books->n_cpus; cpu++)
		count += __atomic_load_n(&books->cpus[cpu].rescued[pair], __ATOMIC_RELAXED);
	return count;
}

/*
 * Misses first, then rescues: what comes between can only make the difference too small, never a false loss.
 * Each pair by itself: a rescue too many in one does not hide a loss in another.
 */
static uint64_t count_skipped(const struct books *books)
{
	uint64_t skipped = 0, misses, rescues;

	for (const struct books_program *program = books->programs; program->fd >= 0; program++) {
		if (!read_misses(program->fd, &misses))
			continue;
		rescues = rescued(books, program->pair);
		skipped += misses > rescues ? misses - rescues : 0;
	}
	return skipped;
}

void books_read(const struct books *books, uint64_t ret_lost[LOSS_STAGE_COUNT])
{
	struct calls calls = add_up_calls(books);

	memset(ret_lost, 0, LOSS_STAGE_COUNT * sizeof(*ret_lost));
	ret_lost[LOSS_SKIPPED] = books->skipped.count;
	ret_lost[LOSS_PROBE] = calls.unended + books->given_up;
	ret_lost[LOSS_TABLE] = books->table_full;
	for (unsigned cpu = 0; cpu < books->n_cpus; cpu++) {
		const struct cpu_counters *counters = &books->cpus[cpu];

		for (unsigned kind = 0; kind < SUMMARY_KINDS; kind++)
			ret_lost[LOSS_RING] += __atomic_load_n(&counters->dropped[kind], __ATOMIC_RELAXED);
		ret_lost[LOSS_MAP] += __atomic_load_n(&counters->map_full, __ATOMIC_RELAXED);
	}
}

void books_read_emitted(const struct books *books, uint64_t ret_emitted[SUMMARY_KINDS])
{
	memset(ret_emitted, 0, SUMMARY_KINDS * sizeof(*ret_emitted));
	for (unsigned cpu = 0; cpu < books->n_cpus; cpu++)
		for (unsigned kind = 0; kind < SUMMARY_KINDS; kind++)
			ret_emitted[kind] +=
				__atomic_load_n(&books->cpus[cpu].emitted[kind], __ATOMIC_RELAXED);
}

static void look_at_skips(struct books *books, bool final)
{
	struct calls calls = add_up_calls(books);

	settled_look(&books->skipped, count_skipped(books) + unseen_calls(books, &calls), final);
}

int books_tell(struct books *books, bool final, const struct sink *sink)
{
	uint64_t lost[LOSS_STAGE_COUNT], now = proc_boottime_ns();
	int result = 0;

	look_at_skips(books, final);
	books_read(books, lost);
	for (unsigned stage = 0; stage < LOSS_STAGE_COUNT && !result; stage++) {
		struct rec_lost record = {
			.header = {.size = sizeof(record), .kind = REC_LOST, .time_ns = now},
			.count = lost[stage] - books->told[stage],
			.interval_ns = now - books->told_ns,
			.stage = stage,
		};

		if (lost[stage] <= books->told[stage])
			continue;
		books->told[stage] = lost[stage];
		books->news |= stage != LOSS_TABLE; /* no walk makes room */
		result = sink_put(sink, &record, sizeof(record));
	}
	books->told_ns = now;
	return result;
}

int books_put_summary(struct books *books, const struct sink *sink)
{
	struct rec_summary record = {
		.header = {.size = sizeof(record), .kind = REC_SUMMARY, .time_ns = proc_boottime_ns()},
	};

	for (unsigned cpu = 0; cpu < books->n_cpus; cpu++) {
		for (unsigned kind = 0; kind < SUMMARY_KINDS; kind++) {
			record.emitted[kind] += books->cpus[cpu].emitted[kind];
			record.dropped[kind] += books->cpus[cpu].dropped[kind];
		}
	}
	memcpy(record.lost, books->told, sizeof(books->told));
	return sink_put(sink, &record, sizeof(record));
}

uint32_t books_uncountable(const struct books *books)
{
	return books->misses_known ? 0 : 1u << LOSS_SKIPPED;
}
