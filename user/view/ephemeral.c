/* SPDX-License-Identifier: GPL-2.0-only */
#include "view/ephemeral.h"

#include <errno.h>

int ephemeral_print(FILE *out, const struct model *model, const struct ephemeral_options *options)
{
	struct ephemeral ephemeral;
	int error =
		ephemeral_read(model, options->only_netns, options->now_ns, options->by_events, &ephemeral);

	if (error)
		return error;
	error = (options->json ? ephemeral_print_json : ephemeral_print_text)(out, model, &ephemeral,
									      options);
	ephemeral_free(&ephemeral);
	if (error)
		return error;
	return ferror(out) ? -EIO : 0;
}
