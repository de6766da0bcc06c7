#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# To be sourced: Debian packages of any suite and architecture, without touching this machine's own package
# state. Lists, cache and sources live in a private directory; the archive is the one that this machine's apt
# sources name.

# Makes DIR/apt and has APT_CONFIG name it, so that apt-get and apt-cache work on it alone. A suite that the
# mirror does not have is no reason to stop while another has what is looked for: DIR/apt/update.log says why.
# Archives: main, or security, the one beside it.
private_apt() { # DIR DEB-ARCHITECTURE SUITE:ARCHIVE...
	local apt_dir=$1/apt deb_arch=$2 entry uri main security tool
	shift 2
	for tool in apt-get apt-cache dpkg; do
		command -v "$tool" >/dev/null || {
			printf '%s: needs %s: run it on a Debian machine\n' "${0##*/}" "$tool" >&2
			return 1
		}
	done
	main=$("${BASH_SOURCE[0]%/*}/archive-uri" Debian)
	security=$("${BASH_SOURCE[0]%/*}/archive-uri" Debian-Security)
	[ -n "$main" ] || {
		printf "%s: this machine's apt sources name no Debian archive (or apt-get update was never run)\n" \
			"${0##*/}" >&2
		return 1
	}
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
	: >"$apt_dir/status"
	: >"$apt_dir/sources.list"
	for entry in "$@"; do
		uri=$main
		[ "${entry#*:}" = main ] || uri=$security
		[ -z "$uri" ] || printf 'deb [signed-by=%s] %s %s main\n' \
			/usr/share/keyrings/debian-archive-keyring.gpg "$uri" "${entry%%:*}" >>"$apt_dir/sources.list"
	done
	cat >"$apt_dir/apt.conf" <<-END
		APT::Architecture "$deb_arch";
		APT::Architectures { "$deb_arch"; };
		APT::Sandbox::User "$(id -un)";
		APT::Get::List-Cleanup "false";
		Acquire::Languages "none";
		Acquire::Check-Valid-Until "false";
		Dir::State::Lists "$apt_dir/lists";
		Dir::State::Status "$apt_dir/status";
		Dir::Cache "$apt_dir/cache";
		Dir::Etc::SourceList "$apt_dir/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::Preferences "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::Log "$apt_dir";
	END
	export APT_CONFIG=$apt_dir/apt.conf
	apt-get update -qq >"$apt_dir/update.log" 2>&1 || true
}
