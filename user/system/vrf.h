/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VRF a network device belongs to: sockets bound to one have ports of their own. */
#ifndef PORTSNOOP_SYSTEM_VRF_H
#define PORTSNOOP_SYSTEM_VRF_H

#include <stdint.h>

/*
 * In the calling thread's network namespace: the index of the VRF that the device is or is a part of, 0 for
 * none or where TCP does not keep them apart (net.ipv4.tcp_l3mdev_accept). As inet_sk_bound_l3mdev(). 0 or a
 * negative errno.
 */
int vrf_of_device(uint32_t device, uint32_t *ret_vrf);

#endif
