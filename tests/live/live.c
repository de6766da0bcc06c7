/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the live scenarios: each in a process and a network namespace of its own, so that what one breaks or
 * leaves behind is nobody else's, and so that its events are known by their namespace. Prints a line for
 * each.
 */
#include "exec_actor.h"
#include "hidden.h"
#include "preemption.h"
#include "scenarios.h"
#include "truth.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct scenario {
	const char *name;
	void (*run)(struct scene *scene);
} scenarios[] = {
#define X(name) {#name, name},
	SCENARIO_LIST(X)
#undef X
};
#define N_SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))
#define ATTEMPTS    3 /* of a scenario during which something happened that nobody here can see */

struct settings {
	char tool[512];
	char out_dir[512];
	const char *backend;
	double scale;
	unsigned patience_s;
	unsigned limit_s; /* a scenario that takes longer hangs */
};

/*
 * No portsnoop but the scenario's own may answer its questions. A socket's path is short: where this one
 * would not be, the scenario goes elsewhere.
 */
static void live_alone(const struct scene *scene)
{
	static const char longest[] = "/instance.sock";
	char path[600];

	if (snprintf(path, sizeof(path), "%s/%s.run", scene->out_dir, scene->name) + sizeof(longest) >
	    sizeof(((struct sockaddr_un *)0)->sun_path))
		snprintf(path, sizeof(path), "/tmp/%s.%d", scene->name, getpid());
	if (mkdir(path, 0755) && errno != EEXIST)
		scene_fail(scene, "%s: %s", path, strerror(errno));
	setenv("PORTSNOOP_RUNDIR", path, 1);
}

_Noreturn static void perform(const struct scenario *scenario, const struct settings *settings, int reason_fd)
{
	struct scene scene = {
		.name = scenario->name,
		.tool = settings->tool,
		.out_dir = settings->out_dir,
		.scale = settings->scale,
		.backend = settings->backend,
		.patience_s = settings->patience_s,
		.reason_fd = reason_fd,
	};

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	alarm(settings->limit_s);
	scene.truth = truth_new(&scene);
	live_alone(&scene);
	scene_isolate(&scene);
	scenario->run(&scene);
	fflush(stdout);
	_exit(0);
}

/* Prints the result. False when it failed. */
static bool report(const struct scenario *scenario, int status, const char *reason, double seconds)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		printf("ok live/%s (%.1f s)\n", scenario->name, seconds);
		return true;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == SCENE_SKIPPED) {
		printf("skipped live/%s: %s\n", scenario->name, reason);
		return true;
	}
	if (!*reason)
		reason = !WIFSIGNALED(status)	       ? "it gave no reason"
			 : WTERMSIG(status) == SIGALRM ? "it hangs"
						       : strsignal(WTERMSIG(status));
	printf("FAILED live/%s: %s\n", scenario->name, reason);
	return false;
}

/* How it ended, as waitpid(2) has it, and why. */
static int attempt(const struct scenario *scenario, const struct settings *settings, char *reason,
		   size_t size)
{
	int reason_pipe[2], status;
	size_t length = 0;
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe2(reason_pipe, O_CLOEXEC) || (pid = fork()) < 0) {
		perror("live");
		exit(1);
	}
	if (pid == 0) {
		close(reason_pipe[0]);
		perform(scenario, settings, reason_pipe[1]);
	}
	close(reason_pipe[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	kill(-pid, SIGKILL); /* actors and tools that a failure left behind */
	while (length < size - 1 && (n = read(reason_pipe[0], reason + length, size - 1 - length)) > 0)
		length += (size_t)n;
	reason[length] = '\0';
	reason[strcspn(reason, "\n")] = '\0';
	close(reason_pipe[0]);
	return status;
}

/* Whether events that nobody could see are why it failed; says so. */
static bool is_excused(const struct scenario *scenario, const struct settings *settings,
		       const struct hidden *hidden, time_t begun, const char *reason)
{
	unsigned out_of_sight = hidden_changes(hidden);
	unsigned skipped = preemption_admitted(settings->out_dir, scenario->name, begun);

	if (skipped > PREEMPTION_EXCUSES_MAX)
		skipped = 0;
	if (out_of_sight)
		printf("    %s: once more, after: %s. This kernel hides process 1 and runs no BPF programs "
		       "there; "
		       "%u TCP states changed on its threads meanwhile\n",
		       scenario->name, reason, out_of_sight);
	else if (skipped)
		printf("    %s: once more, after: %s. This kernel preempts BPF programs; the tool said that "
		       "it "
		       "lost %u runs so\n",
		       scenario->name, reason, skipped);
	return out_of_sight || skipped;
}

/* A failure counts. But where there were events that nobody could see meanwhile, once more. */
static bool run(const struct scenario *scenario, const struct settings *settings)
{
	uint64_t begun = scene_clock_ns();
	char reason[2048];
	int status;

	for (unsigned left = ATTEMPTS; left-- > 0;) {
		struct hidden *hidden = hidden_watch();
		time_t attempt_begun = time(NULL);
		bool again;

		status = attempt(scenario, settings, reason, sizeof(reason));
		again = left && WIFEXITED(status) && WEXITSTATUS(status) == SCENE_FAILED &&
			is_excused(scenario, settings, hidden, attempt_begun, reason);
		hidden_end(hidden);
		if (!again)
			break;
	}
	return report(scenario, status, reason, (double)(scene_clock_ns() - begun) / 1e9);
}

static const struct scenario *find(const char *name)
{
	for (size_t i = 0; i < N_SCENARIOS; i++)
		if (!strcmp(scenarios[i].name, name))
			return &scenarios[i];
	return NULL;
}

_Noreturn static void usage(int status)
{
	fputs("usage: live [--tool PATH] [--scale FACTOR] [--patience SECONDS] [--limit SECONDS] [--backend "
	      "NAME] "
	      "[--list] [NAME...]\n"
	      "LIVE_OUT: directory for what the tool prints (default: a new one below /tmp)\n",
	      status ? stderr : stdout);
	exit(status);
}

/* Beside this program: OUT/tests/live/live and OUT/portsnoop. */
static void default_tool(char *to, size_t size)
{
	ssize_t length = readlink("/proc/self/exe", to, size - 1);
	char *slash;

	to[length > 0 ? length : 0] = '\0';
	for (int i = 0; i < 3 && (slash = strrchr(to, '/')); i++)
		*slash = '\0';
	if (strlen(to) + sizeof("/portsnoop") <= size)
		strcat(to, "/portsnoop");
}

static void open_out_dir(struct settings *settings)
{
	const char *given = getenv("LIVE_OUT");

	snprintf(settings->out_dir, sizeof(settings->out_dir), "%s", given ? given : "/tmp/live-XXXXXX");
	if (given ? mkdir(given, 0755) && errno != EEXIST : !mkdtemp(settings->out_dir)) {
		fprintf(stderr, "live: %s: %s\n", settings->out_dir, strerror(errno));
		exit(1);
	}
	chmod(settings->out_dir, 0755);
	printf("the tool's output is kept in %s\n", settings->out_dir);
}

static void parse(int argc, char **argv, struct settings *settings)
{
	static const struct option options[] = {
		{"tool", required_argument, NULL, 't'},	    {"scale", required_argument, NULL, 's'},
		{"patience", required_argument, NULL, 'p'}, {"limit", required_argument, NULL, 'L'},
		{"backend", required_argument, NULL, 'b'},  {"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},	    {0},
	};
	int code;

	while ((code = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (code == 't' && !realpath(optarg, settings->tool)) {
			fprintf(stderr, "live: %s: %s\n", optarg, strerror(errno));
			exit(1);
		} else if (code == 's') {
			settings->scale = atof(optarg);
		} else if (code == 'p') {
			settings->patience_s = (unsigned)atoi(optarg);
		} else if (code == 'b') {
			settings->backend = optarg;
		} else if (code == 'L') {
			settings->limit_s = (unsigned)atoi(optarg);
		} else if (code == 'l') {
			for (size_t i = 0; i < N_SCENARIOS; i++)
				puts(scenarios[i].name);
			exit(0);
		} else if (code != 't') {
			usage(code == 'h' ? 0 : 2);
		}
	}
}

int main(int argc, char **argv)
{
	struct settings settings = {.backend = "auto", .scale = 1, .patience_s = 10, .limit_s = 600};
	bool good = true;

	if (argc > 1 && !strcmp(argv[1], EXEC_ACTOR_FLAG))
		return exec_actor_main(argc, argv);
	default_tool(settings.tool, sizeof(settings.tool));
	parse(argc, argv, &settings);
	for (int i = optind; i < argc; i++)
		if (!find(argv[i])) {
			fprintf(stderr, "live: no scenario %s; --list tells them\n", argv[i]);
			return 2;
		}
	if (geteuid() != 0 || access(settings.tool, X_OK)) {
		fprintf(stderr, "live: needs root and a built %s\n", settings.tool);
		return 1;
	}
	open_out_dir(&settings);
	for (int i = optind; i < argc; i++)
		good &= run(find(argv[i]), &settings);
	for (size_t i = 0; i < N_SCENARIOS && optind == argc; i++)
		good &= run(&scenarios[i], &settings);
	return good ? 0 : 1;
}
